"""What README and docs tell people to type: paths that are there, overrides that DVC takes."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from shutil import copy

import pytest
import yaml
from dvc.utils.hydra import apply_overrides, to_hydra_overrides

from amsf.command.__main__ import COMMANDS, COMPLETION, load

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/*.md"))]
TYPED = [
    (page.name, re.split(r"\s{2,}#", line.strip())[0])
    for page in PAGES
    for line in page.read_text().replace("\\\n", " ").splitlines()
    if line.startswith("    ") and line.strip().startswith(("dvc ", "amsf ", "python -m "))
]


def test_there_are_commands() -> None:
    assert len(TYPED) > 30


def overrides() -> list[str]:
    found = []
    for _, line in TYPED:
        words = shlex.split(line.split(" && ")[0])
        found += [words[i + 1] for i, word in enumerate(words) if word in ("-S", "--set-param")]
    return sorted(set(found))


@pytest.mark.parametrize("override", overrides())
def test_dvc_takes_every_override_as_it_is_typed(override: str, tmp_path: Path) -> None:
    """`-S text.checkpoint=~/w/ViT.pt`, without quotes, ends in an error of its grammar."""
    copy(ROOT / "params.yaml", tmp_path)
    raw = yaml.safe_load((tmp_path / "params.yaml").read_text())
    if override.startswith("benchmarks.utd27-u5"):  # of a benchmark that is to be switched on
        raw["benchmarks"]["utd27-u5"] = {"set": {"train": {"cycles": 5}}}
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(raw))
    name, _, value = override.lstrip("+").partition("=")
    parsed = to_hydra_overrides([override])
    assert len(parsed) == 1
    if parsed[0].is_sweep_override():
        return
    apply_overrides(tmp_path / "params.yaml", [override])
    found = yaml.safe_load((tmp_path / "params.yaml").read_text())
    for part in name.split("."):
        found = found[part]
    if isinstance(found, str):
        assert found == value.strip("'")


@pytest.mark.parametrize(("page", "line"), TYPED)
def test_our_own_commands_take_what_is_typed(page: str, line: str) -> None:
    for command in line.split(" && "):
        words = shlex.split(command.split(" > ")[0].split(" | ")[0])
        if words[:1] != ["amsf"] or words[1] == COMPLETION or "FOLDER" in words:
            continue
        assert words[1] in COMMANDS, f"{page}: {line}"
        load(words[1]).parser("amsf").parse_args(words[2:])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


def test_readme_says_that_a_zip_will_not_do() -> None:
    """DVC's own error, `not a git repository`, leaves one alone with it."""
    words = " ".join((ROOT / "README.md").read_text().split())
    assert "DVC refuses a ZIP of it; else `git init && git add -A && git commit" in words


def test_queued_experiments_inherit_nothing() -> None:
    """Between a run whose `-S` stays in the workspace and the queue README goes back."""
    text = (ROOT / "README.md").read_text()
    between = text[
        text.index("    dvc exp run -S model.heads") : text.index("    dvc exp run --queue")
    ]
    assert "    git restore params.yaml dvc.lock metrics && dvc checkout" in between
