"""Who answers a prompt. The endpoint's faults are in test_llm_describe.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from pytest_httpserver import HTTPServer
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from amsf.base.errors import InputError
from amsf.settings.params import Describe
from amsf.text.describe import ask_model
from amsf.text.providers import LocalProvider, OpenAIProvider, load_provider
from amsf.text.record import AnswerRecord

TEMPLATE = "{% for m in messages %}<user> {{ m['content'] }} {% endfor %}<model> "
PROMPT = "how does w3 w5 move"


def make_model(folder: Path, end: int | None = None) -> tuple[LlamaForCausalLM, Any]:
    """A tiny random chat model whose tokens are whole words; token ``end`` ends its answers."""
    torch.manual_seed(0)
    words = ["<pad>", "<user>", "<model>", "<unk>", "how", "does", "move"]
    words += [f"w{i}" for i in range(57)]
    plain = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="<unk>"))
    plain.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=plain, pad_token="<pad>", unk_token="<unk>", chat_template=TEMPLATE
    )
    config = LlamaConfig(
        vocab_size=len(words),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        initializer_range=0.5,
        bos_token_id=None,
        eos_token_id=end,
        pad_token_id=0,
    )
    model = LlamaForCausalLM(config).eval()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return model, tokenizer


def greedy(model: LlamaForCausalLM, tokenizer: Any, prompt: str, steps: int) -> list[int]:
    """The likeliest next token, ``steps`` times, without any cache."""
    ids = tokenizer(f"<user> {prompt} <model>")["input_ids"]
    start = len(ids)
    for _ in range(steps):
        with torch.inference_mode():
            ids.append(int(model(torch.tensor([ids])).logits[0, -1].argmax()))
    return ids[start:]


def local(folder: Path, **more: Any) -> Describe:
    return Describe(provider="transformers", model=str(folder), **more)


def test_local_model_gives_the_likeliest_words(tmp_path: Path) -> None:
    model, tokenizer = make_model(tmp_path)
    expected = greedy(model, tokenizer, PROMPT, 12)
    answer = LocalProvider(local(tmp_path, max_tokens=12)).ask(PROMPT, seed=0)
    assert answer.text == tokenizer.decode(expected, skip_special_tokens=True)
    assert (answer.prompt_tokens, answer.answer_tokens) == (7, 12)
    assert answer.cut, "an answer that ends at max_tokens is cut off"


def test_local_model_describes_every_class_through_the_record(tmp_path: Path) -> None:
    model, tokenizer = make_model(tmp_path / "free")
    # An end token which the answer reaches after nine words or more.
    said = greedy(model, tokenizer, PROMPT, 40)
    end = next(token for i, token in enumerate(said) if i >= 9 and token not in said[:i])
    folder = tmp_path / "chat"
    make_model(folder, end)
    describe = local(folder, max_tokens=60)
    record = AnswerRecord(tmp_path / "r.jsonl")
    labels = ["w3 w5"]

    def ask() -> dict[str, Any]:
        return ask_model(
            labels,
            labels,
            {"LLMmd": "how does {label} move"},
            describe,
            record,
            lambda: load_provider(describe),
            lambda text: None,
        )

    texts = ask()
    expected = tokenizer.decode(said[: said.index(end)], skip_special_tokens=True)
    assert texts["LLMmd"]["text"].tolist()[0].startswith(expected)
    assert len(record) == 1
    ask()
    assert len(record) == 1


def test_local_draws_follow_the_seed(tmp_path: Path) -> None:
    make_model(tmp_path)
    provider = LocalProvider(local(tmp_path, max_tokens=12, temperature=1.5))
    first, again, other = (provider.ask(PROMPT, seed).text for seed in (1, 1, 2))
    assert first == again != other


def test_a_model_that_is_not_here_or_does_not_chat_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no chat model of that name .* hf download"):
        LocalProvider(local(tmp_path / "nothing"))
    _, tokenizer = make_model(tmp_path)
    tokenizer.chat_template = None
    (tmp_path / "chat_template.jinja").unlink(missing_ok=True)
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(InputError, match="no chat template"):
        LocalProvider(local(tmp_path))


@pytest.mark.parametrize(("base", "name"), [(True, "max_tokens"), (False, "max_completion_tokens")])
def test_endpoint_is_sent_what_the_parameters_say(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch, base: bool, name: str
) -> None:
    sent = {
        "model": "m",
        "messages": [{"role": "user", "content": PROMPT}],
        "temperature": 0.5,
        name: 33,
    }
    reply = {
        "choices": [{"index": 0, "message": {"content": " two\n words "}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 4, "completion_tokens": 2, "total_tokens": 6},
    }
    httpserver.expect_oneshot_request("/v1/chat/completions", json=sent).respond_with_json(reply)
    monkeypatch.setenv("OPENAI_API_KEY", "any")
    url = httpserver.url_for("/v1")
    # Without base_url the client takes OpenAI's address, or what its own variable says.
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    describe = Describe(
        provider="openai",
        model="m",
        base_url=url if base else "",
        temperature=0.5,
        max_tokens=33,
        retries=0,
    )
    answer = OpenAIProvider(describe).ask(PROMPT, seed=0)
    assert (answer.text, answer.prompt_tokens, answer.answer_tokens) == ("two words", 4, 2)
    httpserver.check_assertions()
