"""The endpoint's key stays out of what is kept and told, and a word is no key."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest

from amsf.base.errors import InputError
from amsf.text.key import KEY_VARIABLE, Key

KEY = 'sk-proj-A1b2/C3d4+E5f6="G7h8'
SAYING = "That is a wrong key: "


def key_of(monkeypatch: pytest.MonkeyPatch, value: str) -> Key:
    monkeypatch.setenv(KEY_VARIABLE, value)
    return Key()


@pytest.mark.parametrize(
    "spell",
    [
        str,
        str.upper,
        str.lower,
        lambda key: quote(key, safe=""),
        lambda key: quote(key, safe="").lower(),
        lambda key: json.dumps(key),
        lambda key: "".join(f"\\u{ord(c):04x}" for c in key),
        html.escape,
        lambda key: base64.b64encode(key.encode()).decode(),
        lambda key: base64.b64encode(f"Bearer {key}".encode()).decode(),
        lambda key: base64.urlsafe_b64encode(f"user:{key}".encode()).decode(),
        lambda key: key.encode().hex(),
        lambda key: f"{key[:8]}...{key[-8:]}",
        lambda key: f"{key[:8]}{'*' * 12}{key[-4:]}",
        lambda key: f"{key[:-4]}",
        lambda key: f"'{key}'",
    ],
)
def test_no_spelling_of_the_key_is_told(
    monkeypatch: pytest.MonkeyPatch, spell: Callable[[str], str]
) -> None:
    told = key_of(monkeypatch, KEY).mask_all(f"{SAYING}{spell(KEY)} (401)")
    assert told.startswith(f"{SAYING}")
    assert told.endswith(" (401)")
    assert "***" in told
    shown = told.removeprefix(SAYING)
    for text in (KEY, spell(KEY)[-20:]):  # what stands before the key may be told
        pieces = {text[i : i + 6].lower() for i in range(len(text) - 5)}
        assert not any(piece in shown.lower() for piece in pieces - {"*" * 6})
    assert KEY[-4:] not in shown


@pytest.mark.parametrize("word", ["a", "hand", "any", "standing", "whatever", "upright"])
def test_a_word_alters_no_answer(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    key = key_of(monkeypatch, word)
    answer = f"You are standing upright and lift a hand, {word}, or whatever."
    assert key.mask(answer) == key.mask_all(answer) == answer


def test_a_secret_is_masked_in_answers_too(monkeypatch: pytest.MonkeyPatch) -> None:
    assert key_of(monkeypatch, KEY).mask(f"It is {KEY}, I hear.") == "It is ***, I hear."


def test_a_line_break_behind_the_key_is_no_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert key_of(monkeypatch, f" {KEY}\n").value == KEY


@pytest.mark.parametrize("value", ["", "  ", "sk-sécret0123456", "sk-a b", "sk-a\nb"])
def test_what_cannot_be_sent_is_told_without_it(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    with pytest.raises(InputError, match=KEY_VARIABLE) as caught:
        key_of(monkeypatch, value)
    assert not value.strip() or value not in str(caught.value)
