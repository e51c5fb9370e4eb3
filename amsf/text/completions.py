"""A chat completion as servers send it, read without trust in its form."""

from __future__ import annotations

import json
from typing import Any

from amsf.text.answers import Answer
from amsf.text.cleaning import clean, without_thinking

# Where servers put the thinking that they have taken off an answer.
_THINKING = ("reasoning", "reasoning_content", "thinking")


def read_completion(body: str) -> Answer:
    """The answer in the body of a response that says all is well.

    What is no chat completion gives an answer without text whose ``problem`` says what came.
    """
    try:
        completion = json.loads(body)
    except RecursionError:
        return _no_completion("JSON that is nested too deeply")
    except ValueError:
        start = body.lstrip("\ufeff \n\r\t")[:200]
        if start.lower().startswith(("<!doctype", "<html", "<head", "<body")):
            return _no_completion(
                f"a web page, as a proxy or a login sends it ('{start[:60]}'); check "
                "describe.base_url"
            )
        return _no_completion(f"no JSON ('{start[:60]}')" if start else "nothing")
    if not isinstance(completion, dict):
        return _no_completion(f"a JSON {type(completion).__name__}")
    choices = completion.get("choices")
    if completion.get("error") and not choices:
        return Answer("", problem=f"the server reports an error: {_words(completion['error'])}")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        return _no_completion("JSON without a list of choices")
    choice = choices[0]
    if choice.get("error"):
        return Answer("", problem=f"the server reports an error: {_words(choice['error'])}")
    message = choice.get("message")
    if not isinstance(message, dict):
        return _no_completion("a choice without a message")
    text = _text_of(message.get("content"))
    if text is None:
        return _no_completion("a message whose content is no text")
    usage = completion.get("usage")
    return Answer(
        text=clean(text),
        prompt_tokens=_count(usage, "prompt_tokens"),
        answer_tokens=_count(usage, "completion_tokens"),
        cut=choice.get("finish_reason") in ("length", "max_tokens"),
        refused=bool(message.get("refusal")) or choice.get("finish_reason") == "content_filter",
        thought=any(message.get(name) for name in _THINKING) or without_thinking(text) != text,
    )


def _text_of(content: Any) -> str | None:
    """The text of a content: text itself, nothing, or parts whose texts are joined."""
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, list):
        return None
    texts = []
    for part in content:
        if isinstance(part, str):
            texts.append(part)
        elif not isinstance(part, dict):
            return None
        elif part.get("type", "text") in ("text", "output_text"):
            text = part.get("text")
            if not isinstance(text, str):
                return None
            texts.append(text)
        # Others hold thinking, images, references: none of them is the answer.
    return "".join(texts)


def _words(error: Any) -> str:
    """A server's error in its own words, with its code."""
    if not isinstance(error, dict):
        return f"'{error}'"
    code = error.get("code") or error.get("type")
    return f"'{error.get('message', error)}'" + (f" ({code})" if code else "")


def _count(usage: Any, name: str) -> int:
    value = usage.get(name) if isinstance(usage, dict) else None
    return value if isinstance(value, int) and value >= 0 else 0


def _no_completion(what: str) -> Answer:
    return Answer("", problem=f"what came is no chat completion but {what}")
