"""Who answers a prompt: an OpenAI-compatible endpoint, or a chat model on this machine."""

from __future__ import annotations

import json
import os
from typing import Any, Protocol

from amsf.base.errors import InputError
from amsf.settings.params import Describe
from amsf.text.answers import Answer

KEY_VARIABLE = "OPENAI_API_KEY"


class Provider(Protocol):
    """One question, one answer.

    Attributes:
        concurrency: the number of questions that may wait for an answer at the same time.
    """

    concurrency: int

    def ask(self, prompt: str, seed: int) -> Answer:
        """The model's answer; ``seed`` sets the draw where the model is here.

        Raises:
            InputError: no answer is to be had, now and for any other prompt.
        """


def load_provider(describe: Describe) -> Provider:
    """The provider that the parameters name.

    Raises:
        InputError: the key is not in the environment, or the model is not on this machine.
    """
    return OpenAIProvider(describe) if describe.provider == "openai" else LocalProvider(describe)


class OpenAIProvider:
    """Any OpenAI-compatible endpoint, through OpenAI's own client.

    That client retries by itself, with exponential backoff and after what ``Retry-After`` says:
    on 408, 409, 429, 5xx, time-outs and broken connections.
    """

    def __init__(self, describe: Describe) -> None:
        import openai

        self._key = os.environ.get(KEY_VARIABLE, "")
        if not self._key:
            raise InputError(
                f"describe.provider is openai, but {KEY_VARIABLE} is not set; set it in the "
                "environment (any word will do for a local server that needs none)"
            )
        self.concurrency = describe.concurrency
        self._describe = describe
        self._errors = (openai.OpenAIError,)
        self._client = openai.OpenAI(
            api_key=self._key,
            base_url=describe.base_url or None,
            max_retries=describe.retries,
            timeout=describe.timeout,
        )
        # OpenAI's newer models know only the new name, most other servers only the old one.
        self._limit = "max_tokens" if describe.base_url else "max_completion_tokens"

    def ask(self, prompt: str, seed: int) -> Answer:
        """The answer; one that is not a chat completion counts as empty."""
        settings: dict[str, Any] = {self._limit: self._describe.max_tokens}
        try:
            completion = self._client.chat.completions.create(
                model=self._describe.model,
                messages=[{"role": "user", "content": prompt}],
                temperature=self._describe.temperature,
                **settings,
            )
        except json.JSONDecodeError:
            return Answer("")
        except self._errors as error:
            # Some servers repeat the key in their message.
            reason = str(error).replace(self._key, "***")
            raise InputError(
                f"describe.model {self._describe.model} at {self._client.base_url}: {reason} "
                f"({type(error).__name__}). Answers so far are kept; correct it and run again"
            ) from None
        choices = getattr(completion, "choices", None)
        if not choices:
            return Answer("")
        message, usage = choices[0].message, completion.usage
        return Answer(
            # Answers are kept in files, and a server may repeat the key in them.
            text=" ".join((message.content or "").replace(self._key, "***").split()),
            prompt_tokens=(usage and usage.prompt_tokens) or 0,
            answer_tokens=(usage and usage.completion_tokens) or 0,
            cut=choices[0].finish_reason == "length",
            refused=bool(message.refusal) or choices[0].finish_reason == "content_filter",
        )


class LocalProvider:
    """A chat model on this machine, by folder or by hub name in the local cache."""

    concurrency = 1

    def __init__(self, describe: Describe) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        name = describe.model
        try:
            # trust_remote_code=False: else a folder that brings its own code would be asked about
            # at the keyboard.
            safe = {"local_files_only": True, "trust_remote_code": False}
            self._tokenizer: Any = AutoTokenizer.from_pretrained(name, **safe)
            self._model: Any = AutoModelForCausalLM.from_pretrained(name, dtype="auto", **safe)
        # A damaged folder makes the library raise whatever it stumbles upon.
        except Exception as error:
            reason = (str(error) or type(error).__name__).splitlines()[0]
            raise InputError(
                f"describe.model {name}: no chat model of that name on this machine ({reason}). "
                f"Give its folder, or with a network run: hf download {name}"
            ) from error
        if not self._tokenizer.chat_template:
            raise InputError(
                f"describe.model {name}: its tokenizer has no chat template; take a chat "
                "(instruct) model"
            )
        device = "cuda" if torch.cuda.is_available() else "cpu"
        self._model.eval().to(device)
        self._describe = describe

    def ask(self, prompt: str, seed: int) -> Answer:
        """The answer: the likeliest words at temperature 0, else a draw seeded with ``seed``."""
        import torch

        chat = self._tokenizer.apply_chat_template(
            [{"role": "user", "content": prompt}],
            add_generation_prompt=True,
            return_dict=True,
            return_tensors="pt",
        ).to(self._model.device)
        temperature = self._describe.temperature
        drawn = {"do_sample": True, "temperature": temperature} if temperature else {}
        torch.manual_seed(seed)
        with torch.inference_mode():
            ids = self._model.generate(
                **chat,
                max_new_tokens=self._describe.max_tokens,
                pad_token_id=self._tokenizer.pad_token_id or self._tokenizer.eos_token_id,
                **(drawn or {"do_sample": False}),
            )[0]
        asked = chat["input_ids"].shape[1]
        answer = ids[asked:].tolist()
        ends = self._model.generation_config.eos_token_id
        stopped = answer and answer[-1] in (ends if isinstance(ends, list) else [ends])
        return Answer(
            text=" ".join(self._tokenizer.decode(answer, skip_special_tokens=True).split()),
            prompt_tokens=asked,
            answer_tokens=len(answer),
            cut=not stopped and len(answer) >= self._describe.max_tokens,
        )
