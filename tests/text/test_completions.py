"""Bodies of responses as servers send them, sound and broken."""

from __future__ import annotations

import json
from typing import Any

import pytest

from amsf.text.answers import Answer, find_fault
from amsf.text.completions import read_completion

GOOD = "You stand upright, lift your right hand to your mouth, hold it there, and let it sink."


def body(content: Any, end: str | None = "stop", **message: Any) -> str:
    choice = {"index": 0, "message": {"content": content, **message}, "finish_reason": end}
    usage = {"prompt_tokens": 4, "completion_tokens": 7}
    return json.dumps({"choices": [choice], "usage": usage})


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        [{"type": "text", "text": GOOD}],
        [{"type": "text", "text": GOOD[:30]}, {"type": "text", "text": GOOD[30:]}],
        [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"text": GOOD}],
        [{"type": "output_text", "text": GOOD}, {"type": "image_url", "image_url": {}}],
        [GOOD],
    ],
)
def test_texts_and_parts_of_texts_are_read(content: Any) -> None:
    answer = read_completion(body(content))
    assert answer == Answer(GOOD, prompt_tokens=4, answer_tokens=7)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"error": {"code": 429, "message": "Rate limit"}}', "'Rate limit' (429)"),
        ('{"error": "Unexpected endpoint or method."}', "'Unexpected endpoint or method.'"),
        ('{"choices": [{"error": {"message": "upstream failed"}}]}', "'upstream failed'"),
        ("<html><body>Login to the campus proxy</body></html>", "a web page"),
        ("\n<!DOCTYPE html><title>x</title>", "a web page"),
        ("", "but nothing"),
        ("oops", "no JSON ('oops')"),
        ("[1, 2]", "a JSON list"),
        ("null", "a JSON NoneType"),
        ('{"a": 1}', "without a list of choices"),
        ('{"choices": []}', "without a list of choices"),
        ('{"choices": "abc"}', "without a list of choices"),
        ('{"choices": [null]}', "without a list of choices"),
        ('{"choices": [{"message": null}]}', "a choice without a message"),
        ('{"choices": [{"message": {"content": 3}}]}', "content is no text"),
        ('{"choices": [{"message": {"content": [3]}}]}', "content is no text"),
        ('{"choices": [{"message": {"content": [{"text": {}}]}}]}', "content is no text"),
        ('{"choices": ' + "[" * 100_000 + "]" * 100_000 + "}", "nested too deeply"),
    ],
)  # fmt: skip
def test_what_is_no_completion_is_named(text: str, told: str) -> None:
    answer = read_completion(text)
    assert answer.text == ""
    assert told in (find_fault(answer, "drink", ["drink"]) or "no fault")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (body("", "length"), "it was cut off; raise describe.max_tokens"),
        (body("", "length", reasoning="long"), "thinking took all its tokens; raise"),
        (body(None, "length", reasoning_content="long"), "thinking took all its tokens; raise"),
        (body("<think> long", "length"), "thinking took all its tokens; raise"),
        (body(None, reasoning_content="long"), "it has thinking and no answer"),
        (body(""), "it is empty"),
        (body(None, refusal="no"), "it refuses"),
        (body(GOOD, "content_filter"), "it refuses"),
    ],
)
def test_empty_answers_are_told_apart(text: str, told: str) -> None:
    assert told in (find_fault(read_completion(text), "drink", ["drink"]) or "no fault")


@pytest.mark.parametrize("usage", [None, {}, [], {"prompt_tokens": "4", "completion_tokens": None}])
def test_servers_need_not_count(usage: Any) -> None:
    reply = json.loads(body(GOOD, end=""))
    answer = read_completion(json.dumps({**reply, "usage": usage}))
    assert answer == Answer(GOOD)
