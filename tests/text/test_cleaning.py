"""What models and servers put around a description comes off; what cannot be told is refused."""

from __future__ import annotations

import pytest

from amsf.text.answers import Answer, find_fault
from amsf.text.cleaning import clean
from amsf.text.descriptions import load_texts

GOOD = "You stand upright, lift your right hand to your mouth, hold it there, and let it sink."


@pytest.mark.parametrize(
    "answer",
    [
        # Thinking, as models and servers mark it.
        f"<think>\nThey want a description.\n</think>\n\n{GOOD}",
        f"They want a description, so let me write one.\n</think>\n\n{GOOD}",
        f"<thinking>a <think>b</think> c</thinking>{GOOD}",
        f"[THINK]I should be brief.[/THINK]{GOOD}",
        f"<seed:think>first</seed:think>{GOOD}",
        f"◁think▷first◁/think▷{GOOD}",
        f"<|begin_of_thought|>first<|end_of_thought|>{GOOD}",
        f"<|START_THINKING|>x<|END_THINKING|><|START_RESPONSE|>{GOOD}<|END_RESPONSE|>",
        "<|channel|>analysis<|message|>We need a text.<|end|><|start|>assistant<|channel|>final"
        f"<|message|>{GOOD}<|return|>",
        f"<unused94>thought\nfirst<unused95>{GOOD}",
        f"Here is my thought process: first. Here is my response: {GOOD}",
        f"{GOOD}<think>Was that right?</think>",
        # Tokens between turns, and turns that the model made up.
        f"{GOOD}<|im_end|>\n<|im_start|>user\nThank you<|im_end|>",
        f"<|im_start|>assistant\n{GOOD}<|eot_id|>",
        f"<s> {GOOD} </s>",
        f"{GOOD}<end_of_turn>",
        f"{GOOD}<｜end▁of▁sentence｜>",
        f"Assistant: {GOOD}\n\nUser: And the next?",
        f"{GOOD}\n### Instruction: describe another",
        # Remarks.
        f"Sure! Here is the description you asked for:\n\n{GOOD}",
        f"Certainly. {GOOD}\n\nLet me know if you need anything else!",
        f"Okay, here’s a paragraph that describes it:\n\n{GOOD}\n\n(17 words)",
        f"Description: {GOOD}",
        f"{GOOD} I hope this helps!",
        # Markup and quotes.
        f"### Drink\n\n- **Starting posture:** {GOOD}",
        f"**Drink**\n\n{GOOD}\n\n---\n*Word count: 17*",
        f"```text\n{GOOD}\n```",
        f"<p>{GOOD}</p>",
        f"<answer>{GOOD}</answer>",
        f"**{GOOD}**",
        f"1. {GOOD}",
        f'{{"description": "{GOOD}"}}',
        f'"{GOOD}"',
        f"“{GOOD}”",
        f'Sure, here it is:\n"{GOOD}"',
        # What nobody sees, and what a terminal obeys.
        f"\ufeff{GOOD[:20]}\u200b{GOOD[20:]}",
        f"{GOOD[:20]}\x1b{GOOD[20:]}\x00",
    ],
)
def test_the_description_alone_is_left(answer: str) -> None:
    assert clean(answer) == GOOD
    assert find_fault(Answer(clean(answer)), "drink", ["drink", "sit down"]) is None


@pytest.mark.parametrize(
    "answer", ["<think> without an end", "[THINK]a", "a</think>", "<|im_end|>"]
)
def test_thinking_alone_is_no_answer(answer: str) -> None:
    assert clean(answer) == ""


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (f"Reasoning: the user wants a description. {GOOD}", "of the request"),
        (f"We need to describe this in one paragraph. {GOOD}", "of the request"),
        (f"{GOOD} As requested, there is no list in it.", "of the request"),
        (f"{GOOD} | a | b | |---|---| ", "markup"),
        (f"{GOOD} **bold and never closed", "markup"),
        (f"\\boxed{{{GOOD}}}", "markup"),
    ],
)
def test_what_cannot_be_taken_off_is_refused(answer: str, told: str) -> None:
    assert told in (find_fault(Answer(clean(answer)), "drink", ["drink"]) or "no fault")


@pytest.mark.parametrize("dataset", ["demo", "ntu120", "pku51", "utd27"])
def test_shipped_texts_stay_as_they_are(dataset: str) -> None:
    for table in load_texts(dataset).values():
        assert [clean(text) for text in table["text"]] == table["text"].tolist()
