"""Who answers a prompt: an OpenAI-compatible endpoint, or a chat model on this machine."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Protocol

from amsf.base.errors import InputError
from amsf.settings.params import Describe
from amsf.text.answers import Answer
from amsf.text.cleaning import clean, without_thinking
from amsf.text.completions import read_completion
from amsf.text.key import Key

# What servers say of a parameter that they do not know, and not of one that is too large.
_UNKNOWN = re.compile(r"support|recogni|unknown|unexpected|extra|permitted|allowed|instead", re.I)
# Of what a server sends: a thousand times a usual answer, and more than the longest thinking takes.
MOST_BYTES = 8 << 20
_VERSION = re.compile(r"/v\d|/openai\b")


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

        self._key = Key()
        self.concurrency = describe.concurrency
        self._describe = describe
        self._errors = (openai.OpenAIError,)
        self._client = openai.OpenAI(
            api_key=self._key.value,
            base_url=describe.base_url or None,
            max_retries=describe.retries,
            timeout=describe.timeout,
            http_client=_bounded_client(),
        )
        # OpenAI's newer models know only the new name, most other servers only the old one.
        self._limit = "max_tokens" if describe.base_url else "max_completion_tokens"

    def ask(self, prompt: str, seed: int) -> Answer:
        """The answer; where no chat completion came, its ``problem`` says what did."""
        limit = self._limit  # another thread may change it meanwhile
        try:
            try:
                body = self._send(prompt, limit)
            except self._errors as error:
                other = _other_limit(error, limit)
                if other is None:
                    raise
                body = self._send(prompt, other)
                self._limit = other
        # httpx refuses some addresses and headers with errors of its own.
        except (*self._errors, ValueError, OSError) as error:
            raise InputError(self._explain(error)) from None
        answer = read_completion(body)
        problem = answer.problem and f"{answer.problem}{self._missing_version()}"
        # Answers are kept in files.
        text = self._key.mask(answer.text)
        return replace(answer, text=text, problem=self._key.mask_all(problem))

    def _send(self, prompt: str, limit: str) -> str:
        settings: dict[str, Any] = {limit: self._describe.max_tokens}
        response = self._client.chat.completions.with_raw_response.create(
            model=self._describe.model,
            messages=[{"role": "user", "content": prompt}],
            temperature=self._describe.temperature,
            **settings,
        )
        return response.text

    def _explain(self, error: Exception) -> str:
        misplaced = getattr(error, "status_code", None) in (404, 405)
        hint = self._missing_version() if misplaced else ""
        reason = " ".join(str(error).split())
        if reason.lower().startswith(("<!doctype", "<html")):
            reason = f"a web page came, as a proxy or a login sends it: {reason[:200]}"
        return self._key.mask_all(
            f"describe.model {self._describe.model} at {self._client.base_url}: {reason} "
            f"({type(error).__name__}){hint}. Answers so far are kept; correct it and run again"
        )

    def _missing_version(self) -> str:
        """A hint where the address has no version in it, empty else."""
        address = str(self._client.base_url).rstrip("/")
        if _VERSION.search(address):
            return ""
        return f"; most servers answer below /v1: try describe.base_url {address}/v1"


def _bounded_client() -> Any:
    """OpenAI's own HTTP client, but that it takes no body of any size into memory."""
    import openai

    class Bounded(openai.DefaultHttpxClient):
        def send(self, request: Any, **options: Any) -> Any:
            """Send a request and read the whole response, redirects and errors as well."""
            options |= {"stream": True, "follow_redirects": False}
            for _ in range(self.max_redirects + 1):
                response = super().send(request, **options)
                try:
                    body = bytearray()
                    for part in response.iter_bytes():  # unpacked, if it came packed
                        body += part
                        if len(body) > MOST_BYTES:
                            # An error of OpenAI's, which its client does not try again after.
                            raise openai.OpenAIError(
                                f"more than {MOST_BYTES >> 20} MiB came; expected a chat "
                                "completion, of some KiB: check describe.base_url"
                            )
                finally:
                    response.close()
                if response.next_request is None:
                    break
                request = response.next_request
            else:
                raise openai.OpenAIError(f"more than {self.max_redirects} redirects came")
            encoding = ("content-encoding", "content-length", "transfer-encoding")
            headers = [item for item in response.headers.multi_items() if item[0] not in encoding]
            return type(response)(
                response.status_code,
                headers=headers,
                content=bytes(body),
                request=response.request,
            )

    return Bounded()


def _other_limit(error: Exception, limit: str) -> str | None:
    """The other name of ``max_tokens``, if a server refuses the one that it was given."""
    names = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
    unknown = getattr(error, "status_code", None) in (400, 404, 422) and _UNKNOWN.search(str(error))
    return names[limit] if unknown and limit in str(error) else None


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
        said = self._tokenizer.decode(answer, skip_special_tokens=True)
        return Answer(
            text=clean(said),
            prompt_tokens=asked,
            answer_tokens=len(answer),
            cut=not stopped and len(answer) >= self._describe.max_tokens,
            thought=without_thinking(said) != said,
        )
