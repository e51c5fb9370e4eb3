"""What makes an answer of a language model usable as the description of a class."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

MIN_WORDS = 8

# Said of the speaker, in the first person; the descriptions speak of "you" or of nobody.
_REFUSAL = re.compile(
    r"\b(as an ai\b|ai (language )?model|(i am|i'm|im) (really |very )?(sorry|unable|not able)"
    r"|i (can ?not|can't|could not|couldn't|won't|will not|am not allowed)\b"
    r"|^sorry\b|my apologies|i apologi[sz]e)",
    re.IGNORECASE,
)


# What a description never has, and what is written around one has.
_ABOUT_THE_REQUEST = re.compile(
    r"\b(the user|the prompt|the instructions?\b.{0,20}\bsays?"
    r"|let me (think|know|write|describe|try)|word (count|limit)"
    r"|(i|we) (need|have|should|must|want|will|am going|are going) to\b"
    r"|i'll\b|as (you )?requested|you asked|here(?:'s| is| are) (the|a|an|my|your) "
    r"(\w+ )?(description|paragraph|answer|response|text|summary)|i hope this)"
    r"|^(reasoning|thinking|thought|analysis)\s*:|^(okay|alright|hmm|wait)\b",
    re.IGNORECASE,
)
_MARKUP = re.compile(
    r"(<[|/]?[a-z][^<>]{0,60}>|(?<!\*)\*\*(?!\*)|```|^#|\[/?INST\]|\|\s*-{3,}|[{}\\])",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Answer:
    """One answer of a model.

    Attributes:
        text: the answer, cleaned (:mod:`amsf.text.cleaning`); empty where there was none.
        prompt_tokens: the number of tokens in the question, as the model counts.
        answer_tokens: the number of tokens in the answer, as the model counts.
        cut: whether it ended because ``max_tokens`` was reached.
        refused: whether the endpoint itself marks it as a refusal.
        thought: whether thinking came with it.
        problem: what came in place of a chat completion; empty where one came.
    """

    text: str
    prompt_tokens: int = 0
    answer_tokens: int = 0
    cut: bool = False
    refused: bool = False
    thought: bool = False
    problem: str = ""


def find_fault(answer: Answer, label: str, labels: Iterable[str]) -> str | None:
    """Say why an answer must not be used, or return None.

    Args:
        answer: the model's answer.
        label: the label of the class that was asked for.
        labels: the labels of all the dataset's classes.
    """
    if answer.problem:
        return answer.problem
    if answer.refused or _REFUSAL.search(answer.text.replace("’", "'")):
        return f"it refuses: '{answer.text[:60]}'"
    if answer.cut:
        spent = ", and thinking took all its tokens" if not answer.text and answer.thought else ""
        return f"it was cut off{spent}; raise describe.max_tokens"
    if not answer.text.strip():
        if answer.thought:
            return "it has thinking and no answer; switch thinking off or raise describe.max_tokens"
        return "it is empty"
    if fault := find_remains(answer.text):
        return fault
    words = len(answer.text.split())
    if words < MIN_WORDS:
        return f"it has {words} words; expected at least {MIN_WORDS}"
    other = names_other_class(answer.text, label, labels)
    return other and f"it speaks of '{other}'"


def find_remains(text: str) -> str | None:
    """What of the model's or the server's own is in a text, or None."""
    if found := _MARKUP.search(text):
        return f"it has markup in it: '{text[max(0, found.start() - 20) : found.end() + 20]}'"
    if found := _ABOUT_THE_REQUEST.search(text.replace("’", "'")):
        place = text[max(0, found.start() - 20) : found.end() + 20]
        return f"it speaks of the request: '{place}'"
    return None


def names_other_class(text: str, label: str, labels: Iterable[str]) -> str | None:
    """The label of another class that a text is about by mistake, or None.

    A text is taken to be about another class if it has that class's whole label, and none of the
    words which set the own label apart from it. So "stand up" may be mentioned in a text on "sit
    down" that says "sit" or "down", but a text asked for "take off glasses" which says only "put on
    glasses" is one. A label of one word ("drop", "bow") is an ordinary verb, too; it counts only
    as the first word of the text.
    """
    said, own = _stems(text), _stems(label)
    for other in labels:
        theirs = _stems(other)
        if not theirs or theirs == own or _has_phrase(own, theirs):
            continue
        place = said if len(theirs) > 1 else said[:1]
        if _has_phrase(place, theirs) and not (set(own) - set(theirs)) & set(said):
            return other
    return None


def _stems(text: str) -> list[str]:
    """The words of a text in lower case, less the commonest endings: putting -> put."""
    words = re.findall(r"[a-z]+", text.lower())
    bare = [re.sub(r"(?<=[a-z]{3})(ing|es|s|e)$", "", word) for word in words]
    return [re.sub(r"([a-z])\1$", r"\1", word) for word in bare]


def _has_phrase(words: list[str], phrase: list[str]) -> bool:
    n = len(phrase)
    return any(words[i : i + n] == phrase for i in range(len(words) - n + 1))
