"""The record of answers: appended at once, found again, robust against a kill."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from amsf.base.errors import InputError
from amsf.settings.params import Describe
from amsf.text.answers import Answer
from amsf.text.record import AnswerRecord, answer_key

ASKED = Describe(provider="openai", model="m", temperature=0.5, max_tokens=99)


def test_an_answer_is_found_again_under_the_same_question_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "record.jsonl"
    AnswerRecord(path).append(ASKED, "what is it?", 1, "hop", Answer("a \u201chop\u201d", 7, 5))
    record = AnswerRecord(path)
    assert record.find(answer_key(ASKED, "what is it?", 1)) == "a \u201chop\u201d"
    # What only says how to ask is not part of the question; what decides the answer is.
    same = {"concurrency": 9, "retries": 1, "timeout": 3.0, "samples": 4, "base_url": "http://x"}
    for name, value in same.items():
        assert record.find(answer_key(ASKED.model_copy(update={name: value}), "what is it?", 1))
    for name, value in {"model": "n", "temperature": 0.6, "max_tokens": 98}.items():
        other = ASKED.model_copy(update={name: value})
        assert record.find(answer_key(other, "what is it?", 1)) is None
    assert record.find(answer_key(ASKED, "what is it?", 0)) is None
    assert record.find(answer_key(ASKED, "what is it? ", 1)) is None
    entry = json.loads(path.read_text(encoding="utf-8"))
    assert (entry["label"], entry["prompt_tokens"], entry["answer_tokens"]) == ("hop", 7, 5)
    assert (entry["model"], entry["temperature"], entry["sample"]) == ("m", 0.5, 1)


def test_a_line_that_a_kill_cut_short_is_taken_off(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    record = AnswerRecord(path)
    for number in range(3):
        record.append(ASKED, f"prompt {number}", 0, "hop", Answer("text"))
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    record = AnswerRecord(path)
    assert len(record) == 2
    record.append(ASKED, "prompt 2", 0, "hop", Answer("text"))
    assert path.read_bytes() == whole


@pytest.mark.parametrize("line", ["{", "[]", '{"key": "k"}', "\u00e9"])
def test_a_strange_line_is_told(tmp_path: Path, line: str) -> None:
    path = tmp_path / "record.jsonl"
    AnswerRecord(path).append(ASKED, "p", 0, "hop", Answer("text"))
    with path.open("a", encoding="latin-1") as file:
        file.write(line + "\n")
    with pytest.raises(InputError, match=r"record.jsonl: line 2 is no record of an answer"):
        AnswerRecord(path)


def test_threads_do_not_mix_their_lines(tmp_path: Path) -> None:
    record = AnswerRecord(tmp_path / "record.jsonl")
    with ThreadPoolExecutor(8) as pool:
        for number in range(60):
            pool.submit(record.append, ASKED, f"p{number}", 0, "hop", Answer("text " * 500))
    assert len(AnswerRecord(tmp_path / "record.jsonl")) == 60
