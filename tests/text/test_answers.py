"""Which answers of a language model are used."""

from __future__ import annotations

import pytest

from amsf.dataset.classes import load_classes
from amsf.text.answers import Answer, find_fault, names_other_class
from amsf.text.descriptions import load_texts

LABELS = ["put on glasses", "take off glasses", "sit down", "stand up", "drop", "kick ball"]
GOOD = "You lift both hands to your face and draw them away from it sideways."


def test_a_good_answer_has_no_fault() -> None:
    assert find_fault(Answer(GOOD), "take off glasses", LABELS) is None


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Answer(""), "empty"),
        (Answer("   "), "empty"),
        (Answer(GOOD, cut=True), "max_tokens"),
        (Answer(GOOD, refused=True), "refuses"),
        (Answer("I'm sorry, but I can\u2019t help you with that request, my friend."), "refuses"),
        (Answer("As an AI language model I have no body with which to do that."), "refuses"),
        (Answer("Sorry, that is nothing which I would like to talk about here."), "refuses"),
        (Answer("I cannot describe that action to you without knowing some more."), "refuses"),
        (Answer("Take off glasses."), "3 words"),
        (Answer("To put on glasses you lift both hands with them to your face."), "put on glasses"),
        (Answer("Putting on glasses means lifting them to your face with both hands."), "put on"),
        (Answer("Drop the hands and let whatever they hold fall down on the floor."), "'drop'"),
    ],
)
def test_faults_are_told(answer: Answer, told: str) -> None:
    assert told in (find_fault(answer, "take off glasses", LABELS) or "no fault")


@pytest.mark.parametrize(
    ("text", "label"),
    [
        # Another class may be named beside the own one.
        ("You sit down on the chair behind you, and do not stand up again.", "sit down"),
        ("Taking off glasses is the opposite of the action to put on glasses.", "take off glasses"),
        # A label of one word is an ordinary verb.
        ("You swing a leg forward at it and let both of your arms drop.", "sit down"),
        # A label inside the own label is no other class.
        ("You drop, as they say, a punch or a kick on somebody.", "drop kick"),
    ],
)
def test_sound_mentions_are_left_alone(text: str, label: str) -> None:
    assert names_other_class(text, label, LABELS) is None


@pytest.mark.parametrize("dataset", ["demo", "ntu120", "pku51", "utd27"])
def test_recorded_answers_are_faultless(dataset: str) -> None:
    labels = load_classes(dataset)["label"].tolist()
    texts = load_texts(dataset)
    for view in ("LLMad", "LLMmd"):
        for label, text in zip(texts[view]["id"], texts[view]["text"]):
            assert find_fault(Answer(text), labels[label], labels) is None, (view, labels[label])


def test_swapped_descriptions_of_opposites_are_found() -> None:
    labels = load_classes("ntu120")["label"].tolist()
    on, off = labels.index("put on glasses"), labels.index("take off glasses")
    assert (
        names_other_class("To put on glasses, lift both hands.", labels[off], labels) == labels[on]
    )
