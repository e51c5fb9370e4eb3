"""Ask a language model to describe every class, for each view that has a prompt.

Prompts are files, ``data/prompts/<view>.txt``, with ``{label}`` where the class goes.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from amsf.base.artifacts import PROMPTS
from amsf.base.errors import InputError, first_ten
from amsf.base.progress import track
from amsf.settings.params import Describe, Text
from amsf.text.answers import Answer, find_fault
from amsf.text.cleaning import clean
from amsf.text.descriptions import VIEWS, Texts
from amsf.text.encoders import load_encoder
from amsf.text.providers import Provider
from amsf.text.record import AnswerRecord, answer_key

PLACE = "{label}"

# How often a question is asked before its answers are taken to be of no use.
ATTEMPTS = 3

# Seconds between two lines on what was spent.
REPORT_EVERY = 15.0

# A text in, why it cannot be used or None out.
CheckText = Callable[[str], str | None]


@dataclass(frozen=True)
class Question:
    """One prompt: which view and class it is for, and which of several samples."""

    view: str
    label: str
    sample: int
    prompt: str


def load_prompts(folder: Path = PROMPTS) -> dict[str, str]:
    """view -> prompt with ``{label}`` in it.

    Raises:
        InputError: there is none, one is named like no view, or lacks ``{label}``.
    """
    paths = {path.stem: path for path in sorted(Path(folder).glob("*.txt"))}
    if not paths:
        raise InputError(f"{folder}: no prompts; expected LLMad.txt and LLMmd.txt")
    prompts = {}
    for view, path in paths.items():
        if view not in VIEWS:
            raise InputError(f"{path}: '{view}' is no view; views are {', '.join(VIEWS)}")
        prompts[view] = path.read_text(encoding="utf-8").strip()
        if PLACE not in prompts[view]:
            raise InputError(f"{path}: {PLACE} is nowhere in it; write it where the class goes")
    return {view: prompts[view] for view in VIEWS if view in prompts}


def length_check(texts: Sequence[Text]) -> CheckText:
    """A check that a text fits every encoder which will read it.

    Args:
        texts: the ``text`` sections of the encoders; those that truncate or are ``published`` take
            any length.

    Raises:
        InputError: an encoder is not on this machine.
    """
    strict = {text for text in texts if text.over_long == "error" and text.encoder != "published"}
    encoders = [load_encoder(text) for text in sorted(strict, key=str)]

    one_at_a_time = threading.Lock()  # tokenizers are not made for several threads

    def check(text: str) -> str | None:
        for encoder in encoders:
            with one_at_a_time:
                tokens = encoder.count_tokens([text])[0]
            if tokens > encoder.limit:
                return f"it has {tokens} tokens; {encoder.name} takes {encoder.limit}"
        return None

    return check


def ask_model(
    labels: Sequence[str],
    all_labels: Sequence[str],
    prompts: dict[str, str],
    describe: Describe,
    record: AnswerRecord,
    provider: Callable[[], Provider],
    check: CheckText,
) -> Texts:
    """Descriptions from a model, from the record where it has them.

    Args:
        labels: the labels of the C classes to describe, by id.
        all_labels: the labels that an answer must not be about by mistake.
        prompts: the prompt of each view.
        describe: the ``describe`` section of the parameters.
        record: the record that answers are read from and written to.
        provider: a function that makes the provider; called only if something has to be asked.
        check: a further check of a text, such as its length.

    Returns:
        view -> frame with columns ``id,sample,text``, C * samples rows.

    Raises:
        InputError: the endpoint fails for good, or some answers stay unusable; every usable
            answer is in the record by then.
    """
    questions = [
        Question(view, label, sample, prompt.replace(PLACE, label))
        for view, prompt in prompts.items()
        for label in labels
        for sample in range(describe.samples)
    ]

    def recorded(question: Question) -> str | None:
        text = record.find(answer_key(describe, question.prompt, question.sample))
        # Earlier answers, and those of others, were recorded as they came.
        return None if text is None else clean(text)

    todo = [question for question in questions if recorded(question) is None]
    if todo:
        _ask_all(todo, all_labels, describe, record, provider(), check)
    rows: dict[str, list[tuple[int, int, str]]] = {view: [] for view in prompts}
    ids = {label: index for index, label in enumerate(labels)}
    for question in questions:
        text = recorded(question) or ""
        fault = find_fault(Answer(text), question.label, all_labels) or check(text)
        if fault:
            raise InputError(
                f"{record.path}: the answer on {question.view} of '{question.label}' cannot be "
                f"used: {fault}; delete its line and run again"
            )
        rows[question.view].append((ids[question.label], question.sample, text))
    columns = ["id", "sample", "text"]
    return {view: pd.DataFrame(lines, columns=columns) for view, lines in rows.items()}


def _ask_all(
    todo: list[Question],
    all_labels: Sequence[str],
    describe: Describe,
    record: AnswerRecord,
    provider: Provider,
    check: CheckText,
) -> None:
    """Ask the questions, several at once; record each usable answer as it comes."""
    stop = threading.Event()
    spent = _Spending(todo)

    def ask(question: Question) -> str | None:
        """Record a usable answer and return None, or return why there is none."""
        fault: str | None = None
        for attempt in range(ATTEMPTS):
            if stop.is_set():
                return "it was not asked"
            key = answer_key(describe, question.prompt, question.sample)
            try:
                answer = provider.ask(question.prompt, seed=int(key[:12], 16) + attempt)
            except InputError:
                stop.set()  # here, before this thread takes its next question
                raise
            spent.add(answer.prompt_tokens + answer.answer_tokens)
            fault = find_fault(answer, question.label, all_labels) or check(answer.text)
            if answer.problem and attempt == ATTEMPTS - 1 and not spent.usable:
                stop.set()  # an endpoint that has given nothing so far will not for the others
                raise InputError(
                    f"describe.model {describe.model}, asked for {question.view} of "
                    f"'{question.label}': {fault}. Correct it and run again"
                )
            if fault is None:
                record.append(describe, question.prompt, question.sample, question.label, answer)
                return None
        return fault

    faults: list[str] = []
    with ThreadPoolExecutor(provider.concurrency) as pool:
        jobs = {pool.submit(ask, question): question for question in todo}
        try:
            for job in track(as_completed(jobs), f"asking {describe.model}", total=len(jobs)):
                question, fault = jobs[job], job.result()
                if fault:
                    faults.append(f"{question.view} of '{question.label}': {fault}")
                spent.done(question, usable=fault is None)
        finally:
            # After an error or Ctrl-C what runs may end, and is recorded; nothing else starts.
            stop.set()
            pool.shutdown(cancel_futures=True)
    if faults:
        raise InputError(
            f"{describe.model} gave no usable answer to {len(faults)} of {len(todo)} questions: "
            f"{first_ten(faults, '; ', '; and ')}. The other answers are kept in {record.path}; "
            "change the prompt, the model or describe.temperature and run again"
        )


class _Spending:
    """Counts tokens, and reports them with an estimate of what is left on stderr now and then."""

    def __init__(self, todo: list[Question]) -> None:
        self._left = {(q.view, q.label): 0 for q in todo}
        for question in todo:
            self._left[question.view, question.label] += 1
        self._total, self._asked, self.usable, self._tokens = len(todo), 0, 0, 0
        self._lock, self._reported = threading.Lock(), time.monotonic()

    def add(self, tokens: int) -> None:
        """Count tokens; called from the threads that ask."""
        with self._lock:
            self._tokens += tokens

    def done(self, question: Question, usable: bool) -> None:
        """Count a question that is over; called from one thread alone."""
        self._asked += 1
        if usable:
            self.usable += 1
            self._left[question.view, question.label] -= 1
        if self._asked == self._total or time.monotonic() - self._reported > REPORT_EVERY:
            self._reported = time.monotonic()
            classes: dict[str, int] = {}
            for (_, label), left in self._left.items():
                classes[label] = classes.get(label, 0) + left
            whole = sum(left == 0 for left in classes.values())
            rest = self._tokens * (self._total - self._asked) // self._asked
            line = (
                f"{whole} of {len(classes)} classes done, {self.usable} of {self._total} "
                f"answers; {self._tokens} tokens used, about {rest} left"
            )
            tqdm.write(line, file=sys.stderr)
