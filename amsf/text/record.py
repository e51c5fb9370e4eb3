"""The record of a language model's answers: one JSON line for each, so that none is paid for twice.

A line is appended and flushed to the disk as soon as the answer is there, so that a killed run
loses nothing. Its key is a SHA-256 over the model, the prompt and the parameters: the same
question gets its answer again, a changed one does not.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from amsf.base.errors import InputError
from amsf.base.storage import refusals_told
from amsf.settings.params import Describe
from amsf.text.answers import Answer


def answer_key(describe: Describe, prompt: str, sample: int) -> str:
    """The key of a question: SHA-256 of model, prompt and what else decides the answer."""
    parts = {**_parameters(describe), "prompt": prompt, "sample": sample}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


class AnswerRecord:
    """The answers in a JSONL file; safe to use from several threads of one process.

    Args:
        path: the file; made empty where missing. A last line that a killed run left unfinished is
            taken off.

    Raises:
        InputError: a line is no record of an answer.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self._lock = threading.Lock()
        self._texts: dict[str, str] = {}
        with refusals_told(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.touch()
        raw = self.path.read_bytes()
        whole = raw[: raw.rfind(b"\n") + 1]
        for number, line in enumerate(whole.splitlines(), start=1):
            try:
                entry = json.loads(line)
                if not isinstance(entry["text"], str):
                    raise TypeError("its text is no text")
                self._texts[entry["key"]] = entry["text"]
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                raise InputError(
                    f"{self.path}: line {number} is no record of an answer ({error}); correct or "
                    "delete that line"
                ) from None
        if len(whole) < len(raw):
            os.truncate(self.path, len(whole))

    def __len__(self) -> int:
        return len(self._texts)

    def find(self, key: str) -> str | None:
        """The answer under a key, or None."""
        return self._texts.get(key)

    def append(
        self, describe: Describe, prompt: str, sample: int, label: str, answer: Answer
    ) -> None:
        """Add a valid answer and wait until the disk has it."""
        key = answer_key(describe, prompt, sample)
        entry: dict[str, Any] = {
            **_parameters(describe),
            "answer_tokens": answer.answer_tokens,
            "date": datetime.now(UTC).date().isoformat(),
            "key": key,
            "label": label,
            "prompt": prompt,
            "prompt_sha256": hashlib.sha256(prompt.encode()).hexdigest(),
            "prompt_tokens": answer.prompt_tokens,
            "provider": describe.provider,
            "sample": sample,
            "text": answer.text,
        }
        line = json.dumps(entry, sort_keys=True, ensure_ascii=False) + "\n"
        with (
            self._lock,
            refusals_told(self.path),
            self.path.open("a", encoding="utf-8", newline="\n") as file,
        ):
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
            self._texts[key] = answer.text


def _parameters(describe: Describe) -> dict[str, Any]:
    return {
        "max_tokens": describe.max_tokens,
        "model": describe.model,
        "temperature": describe.temperature,
    }
