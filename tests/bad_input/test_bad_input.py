"""Every kind of bad input that was tried: one clear error, and nothing half-written.

    AMSF_WRITE_DOCS=1 python -m pytest tests/bad_input/test_bad_input.py

writes ``docs/bad_input.md`` anew from the cases; without the variable the page is checked.
"""

from __future__ import annotations

import os
import shutil
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.bad_input import models as bad_input_models
from tests.bad_input.cases import Case, as_documented, message_of, tree
from tests.bad_input.features import FEATURES, TABLES
from tests.bad_input.models import MODELS
from tests.bad_input.params import PARAMS
from tests.bad_input.skeletons import FILES, SETS
from tests.bad_input.splits import SPLITS
from tests.bad_input.texts import CLASS_LISTS, TEXT_FEATURES
from tests.support.small_project import small_project

AREAS = (PARAMS, SPLITS, CLASS_LISTS, TEXT_FEATURES, FEATURES, TABLES, FILES, SETS, MODELS)
CASES = [(area, case) for area in AREAS for case in area.cases]
PAGE = Path(__file__).parents[2] / "docs/bad_input.md"
WRITE = "AMSF_WRITE_DOCS"
SLOWEST = 20.0  # seconds until the error, on any machine; encoders take a few to load
HEAD = f"""# Bad input, and the message for it

{{count}} kinds of bad input, each with its message. Each is a test: the message names the file or
parameter, and nothing is written or changed. This page is written by

    {WRITE}=1 python -m pytest tests/bad_input/test_bad_input.py

and the tests compare it with the messages. A command prints the message after `error: ` and exits
with 1. What is wrong in one recording of many never stops the others: `python -m amsf.pack` and
`amsf.predict` name it, with the same message, and go on. The remedy for a broken recording is to
fetch it again or to leave it out.

A stage checks its input before it starts to work. `python -m amsf.check` checks that of all
benchmarks (classes, texts, split, source, device) in seconds, before the first one runs.
"""


@dataclass(frozen=True)
class Outcome:
    """What came of a case: the message, what changed in the folder, and how long it took."""

    message: str
    changed: set[str]
    seconds: float


@pytest.fixture(scope="module")
def outcome_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Case], Outcome]:
    """Runs a case in a folder of its own, once."""

    @cache
    def run(case: Case) -> Outcome:
        if case in MODELS.cases and not bad_input_models.PROJECT:
            bad_input_models.PROJECT.append(small_project(tmp_path_factory))
        folder = tmp_path_factory.mktemp("case")
        before = Path.cwd()
        os.chdir(folder)
        try:
            call = case.make()
            found = tree(folder)
            start = time.perf_counter()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # such as those of texts that occur twice
                message = as_documented(message_of(call))
            seconds = time.perf_counter() - start
            changed = {name for name, _ in found.items() ^ tree(folder).items()}
        finally:
            os.chdir(before)
            shutil.rmtree(folder)
        return Outcome(message, changed, seconds)

    return run


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No key of the user's, and no look at the network for a model that is not there."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.mark.parametrize("case", [case for _, case in CASES], ids=lambda case: case.what)
def test_one_clear_error_and_nothing_written(
    case: Case, outcome_of: Callable[[Case], Outcome]
) -> None:
    outcome = outcome_of(case)
    assert case.names in outcome.message, "the message names what is wrong"
    assert "Traceback" not in outcome.message
    assert len(outcome.message) < 1000
    assert outcome.changed == set(), "something was written"
    assert outcome.seconds < SLOWEST


def test_kinds_are_told_apart() -> None:
    for area in AREAS:
        names = [case.what for case in area.cases]
        assert sorted(set(names)) == sorted(names)


def page(outcome_of: Callable[[Case], Outcome]) -> str:
    """The table of all cases as Markdown."""
    parts = [HEAD.format(count=len(CASES))]
    for area in AREAS:
        parts.append(
            f"\n## {area.title}\n\n| what is wrong | reported by | message |\n|---|---|---|\n"
        )
        for case in area.cases:
            cells = (case.what, case.told_by, outcome_of(case).message)
            parts.append(f"| {' | '.join(_cell(cell) for cell in cells)} |\n")
    return "".join(parts)


def _cell(text: str) -> str:
    """Text that a Markdown table shows as it is."""
    for sign in "\\|<>*_[]":
        text = text.replace(sign, f"\\{sign}")
    return text


def test_the_page_is_what_is_said(outcome_of: Callable[[Case], Outcome]) -> None:
    written = page(outcome_of)
    if os.environ.get(WRITE):
        PAGE.write_text(written, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == written, f"run this file again with {WRITE}=1"
