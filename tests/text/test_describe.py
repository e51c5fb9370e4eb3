"""Descriptions from an OpenAI-compatible server on this machine that behaves badly."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from amsf.base.errors import InputError
from amsf.settings.params import PART_VIEWS, Describe, Text
from amsf.text.describe import ask_model, length_check, load_prompts
from amsf.text.providers import MOST_BYTES, load_provider
from amsf.text.record import AnswerRecord

KEY = "sk-secret-0123456789"
LABELS = ["hop on one foot", "sit down", "wave a hand", "clap hands"]
PROMPTS = {"LLMad": "What is {label}?", "LLMmd": "How does the body move in {label}?"}

Handler = Callable[[str, int], Response | dict[str, Any]]


def completion(text: str | None, **more: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": text, "refusal": more.pop("refusal", None)}
    return {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": more.pop("end", "stop")}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30},
    }


def good(prompt: str) -> dict[str, Any]:
    return completion(f"Asked '{prompt}' the\n model says a number of  words on that.")


class Endpoint:
    """A server that calls ``handler(prompt, how often it was asked before)``."""

    def __init__(self, server: HTTPServer) -> None:
        self.asked: Counter[str] = Counter()
        self.bodies: list[dict[str, Any]] = []
        self.handler: Handler = lambda prompt, before: good(prompt)
        self.url = server.url_for("/v1")
        self._lock = threading.Lock()
        server.expect_request("/v1/chat/completions", method="POST").respond_with_handler(
            self._reply
        )

    def _reply(self, request: Request) -> Response:
        assert request.headers["Authorization"] == f"Bearer {KEY}"
        body = json.loads(request.get_data())
        prompt = body["messages"][0]["content"]
        with self._lock:
            before = self.asked[prompt]
            self.asked[prompt] += 1
            self.bodies.append(body)
        found = self.handler(prompt, before)
        if isinstance(found, Response):
            return found
        return Response(json.dumps(found), content_type="application/json")


@pytest.fixture
def endpoint(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    # The client's first pause is half a second; here a twentieth will do.
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.02)
    return Endpoint(httpserver)


def settings(endpoint: Endpoint, **more: Any) -> Describe:
    values = {"model": "m", "base_url": endpoint.url, "timeout": 5.0, "retries": 2, **more}
    return Describe(provider="openai", **values)


def ask(path: Path, describe: Describe, labels: list[str] = LABELS) -> dict[str, Any]:
    return ask_model(
        labels,
        LABELS,
        PROMPTS,
        describe,
        AnswerRecord(path),
        partial(load_provider, describe),
        lambda text: None,
    )


def test_every_class_is_answered_once_and_then_never_again(
    endpoint: Endpoint, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    describe = settings(endpoint, temperature=0.25, max_tokens=77, samples=2)
    texts = ask(tmp_path / "r.jsonl", describe)
    assert list(texts) == ["LLMad", "LLMmd"]
    assert texts["LLMmd"]["id"].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert texts["LLMmd"]["sample"].tolist() == [0, 1] * 4
    said = texts["LLMmd"]["text"][2]
    asked = "How does the body move in sit down?"
    assert said == f"Asked '{asked}' the model says a number of words on that."
    assert set(endpoint.asked.values()) == {2}
    assert all(body["max_tokens"] == 77 and body["temperature"] == 0.25 for body in endpoint.bodies)
    told = capsys.readouterr().err
    assert "4 of 4 classes done, 16 of 16 answers; 480 tokens used, about 0 left" in told
    again = ask(tmp_path / "r.jsonl", describe)
    assert again["LLMad"].equals(texts["LLMad"])
    assert sum(endpoint.asked.values()) == 16
    # A committed record needs neither key nor server; further samples are asked for.
    more = ask(tmp_path / "r.jsonl", describe.model_copy(update={"samples": 3}))
    assert len(more["LLMad"]) == 12
    assert sum(endpoint.asked.values()) == 24


def test_a_full_record_needs_no_key(
    endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = ask(tmp_path / "r.jsonl", settings(endpoint))
    monkeypatch.delenv("OPENAI_API_KEY")
    again = ask(tmp_path / "r.jsonl", settings(endpoint, base_url="http://127.0.0.1:9/v1"))
    assert again["LLMad"].equals(texts["LLMad"])
    with pytest.raises(InputError, match="OPENAI_API_KEY is not set"):
        ask(tmp_path / "other.jsonl", settings(endpoint))


@pytest.mark.parametrize(
    "bad",
    [
        lambda: Response("slow down", status=429, headers={"Retry-After": "0.05"}),
        lambda: Response("oops", status=500),
        lambda: Response('{"choices": [', content_type="application/json"),
        lambda: Response("<html>", content_type="text/html"),
        lambda: Response('{"a": 1}', content_type="application/json"),
        lambda: completion(""),
        lambda: completion(None),
        lambda: completion("I'm sorry, but I can't help with describing this to you."),
        lambda: completion(None, refusal="no"),
        lambda: completion("You stand there and lift one of your hands to", end="length"),
        lambda: completion("To clap hands is to strike one palm on the other palm."),
    ],
)
def test_a_bad_reply_is_followed_by_another_try(
    endpoint: Endpoint, tmp_path: Path, bad: Callable[[], Any]
) -> None:
    def handler(prompt: str, before: int) -> Any:
        return bad() if before == 0 and "sit down" in prompt else good(prompt)

    endpoint.handler = handler
    texts = ask(tmp_path / "r.jsonl", settings(endpoint))
    assert all(text.startswith("Asked '") for table in texts.values() for text in table["text"])
    assert endpoint.asked[PROMPTS["LLMad"].replace("{label}", "sit down")] == 2
    assert sum(endpoint.asked.values()) == 10
    assert len((tmp_path / "r.jsonl").read_text().splitlines()) == 8


def test_retry_after_is_waited_for(endpoint: Endpoint, tmp_path: Path) -> None:
    times: list[float] = []

    def handler(prompt: str, before: int) -> Any:
        times.append(time.monotonic())
        late = Response("slow down", status=429, headers={"Retry-After": "0.6"})
        return late if before == 0 else good(prompt)

    endpoint.handler = handler
    ask_model(
        LABELS[:1],
        LABELS,
        {"LLMad": "What is {label}?"},
        settings(endpoint),
        AnswerRecord(tmp_path / "r.jsonl"),
        partial(load_provider, settings(endpoint)),
        lambda text: None,
    )
    assert len(times) == 2
    assert times[1] - times[0] >= 0.6


def test_a_hanging_server_is_given_up_and_what_is_answered_stays(
    endpoint: Endpoint, tmp_path: Path
) -> None:
    released = threading.Event()

    def handler(prompt: str, before: int) -> Any:
        if "wave" in prompt:
            released.wait(20)
        return good(prompt)

    endpoint.handler = handler
    try:
        started = time.monotonic()
        with pytest.raises(InputError, match=r"timed out.*Answers so far are kept"):
            ask(tmp_path / "r.jsonl", settings(endpoint, timeout=0.4, retries=1, concurrency=1))
        assert time.monotonic() - started < 8
    finally:
        released.set()
    kept = (tmp_path / "r.jsonl").read_text().splitlines()
    assert [json.loads(line)["label"] for line in kept] == LABELS[:2]
    endpoint.handler = lambda prompt, before: good(prompt)
    ask(tmp_path / "r.jsonl", settings(endpoint))
    assert endpoint.asked[PROMPTS["LLMad"].replace("{label}", LABELS[0])] == 1


@pytest.mark.parametrize("status", [401, 404, 500])
def test_a_failure_for_good_stops_all_and_hides_the_key(
    endpoint: Endpoint, tmp_path: Path, status: int, capfd: pytest.CaptureFixture[str]
) -> None:
    body = json.dumps({"error": {"message": f"bad key {KEY}"}})
    endpoint.handler = lambda prompt, before: Response(
        body, status=status, content_type="application/json"
    )
    with pytest.raises(InputError) as caught:
        ask(tmp_path / "r.jsonl", settings(endpoint, concurrency=1))
    assert f"Error code: {status}" in str(caught.value)
    assert sum(endpoint.asked.values()) == (3 if status == 500 else 1)
    captured = capfd.readouterr()
    assert KEY not in str(caught.value) + captured.out + captured.err
    assert KEY not in (tmp_path / "r.jsonl").read_text()


@pytest.mark.parametrize("kind", ["endless", "packed", "an error", "a redirect"])
def test_a_body_beyond_all_answers_is_not_read_into_memory(
    endpoint: Endpoint, tmp_path: Path, kind: str
) -> None:
    sent, packer = 0, zlib.compressobj(1, wbits=31)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(256)) + packer.flush()

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 8 * MOST_BYTES:
            sent += 1 << 20
            yield bytes(1 << 20)

    def handler(prompt: str, before: int) -> Response:
        if kind == "packed":
            return Response(packed, headers={"Content-Encoding": "gzip"})
        status = {"endless": 200, "an error": 400, "a redirect": 307}[kind]
        headers = {"Location": "/v1/elsewhere"} if kind == "a redirect" else {}
        return Response(endless(), status, headers)

    endpoint.handler = handler
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="more than 8 MiB came; expected a chat completion"):
            ask(tmp_path / "r.jsonl", settings(endpoint, concurrency=1))
        # 64 KiB at a time are unpacked, which may be a thousand times as many.
        assert tracemalloc.get_traced_memory()[1] < 100 << 20
    finally:
        tracemalloc.stop()
    assert sum(endpoint.asked.values()) == 1  # which is not tried again
    assert sent < 4 * MOST_BYTES


def test_redirects_are_followed(endpoint: Endpoint, tmp_path: Path, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/v2/chat/completions").respond_with_handler(
        lambda request: Response(status=307, headers={"Location": "/v1/chat/completions"})
    )
    endpoint.handler = lambda prompt, before: good(prompt)
    address = endpoint.url.replace("/v1", "/v2")
    texts = ask(tmp_path / "r.jsonl", settings(endpoint, base_url=address))
    assert {len(table) for table in texts.values()} == {len(LABELS)}


def test_unusable_answers_are_told_and_the_others_kept(endpoint: Endpoint, tmp_path: Path) -> None:
    def handler(prompt: str, before: int) -> Any:
        return completion("") if "sit down" in prompt else good(prompt)

    endpoint.handler = handler
    with pytest.raises(InputError, match=r"2 of 8 questions: .*of 'sit down': it is empty"):
        ask(tmp_path / "r.jsonl", settings(endpoint))
    assert endpoint.asked[PROMPTS["LLMad"].replace("{label}", "sit down")] == 3
    assert len((tmp_path / "r.jsonl").read_text().splitlines()) == 6


SCRIPT = """
import sys
from functools import partial
from pathlib import Path
from amsf.text.describe import ask_model
from amsf.text.providers import load_provider
from amsf.text.record import AnswerRecord
from amsf.settings.params import Describe
labels = {labels!r}
describe = Describe(provider="openai", model="m", base_url=sys.argv[1], concurrency=1)
record = AnswerRecord(Path(sys.argv[2]))
provider = partial(load_provider, describe)
ask_model(labels, labels, {prompts!r}, describe, record, provider, lambda text: None)
"""


def test_a_killed_run_resumes_without_asking_again(endpoint: Endpoint, tmp_path: Path) -> None:
    path, released = tmp_path / "r.jsonl", threading.Event()

    def handler(prompt: str, before: int) -> Any:
        if sum(endpoint.asked.values()) > 5:
            released.wait(30)  # the sixth question is under way when the kill comes
        return good(prompt)

    endpoint.handler = handler
    script = SCRIPT.format(labels=LABELS, prompts=PROMPTS)
    run = subprocess.Popen([sys.executable, "-c", script, endpoint.url, str(path)])
    try:
        deadline = time.monotonic() + 40
        while sum(endpoint.asked.values()) < 6:
            assert run.poll() is None, "the run ended by itself"
            assert time.monotonic() < deadline, "the run asks nothing"
            time.sleep(0.02)
        os.kill(run.pid, signal.SIGKILL)
    finally:
        run.kill()
        run.wait()
        released.set()
    answered = [json.loads(line)["prompt"] for line in path.read_text().splitlines()]
    assert len(answered) == 5
    texts = ask(path, settings(endpoint))
    assert [len(table) for table in texts.values()] == [4, 4]
    assert all(endpoint.asked[prompt] == 1 for prompt in answered)
    # Of all others only the one under way at the kill was asked twice.
    assert sorted(endpoint.asked.values()) == [1] * 7 + [2]
    for file in tmp_path.rglob("*"):
        assert KEY not in file.read_text()


def test_lengths_are_checked_before_an_answer_is_kept(endpoint: Endpoint, tmp_path: Path) -> None:
    check = length_check([Text(), Text(), Text(encoder="published", checkpoint="x")])
    assert check("a short text") is None
    assert check("raise the arm " * 100) == "it has 302 tokens; minilm takes 256"
    assert length_check([Text(over_long="truncate")])("raise the arm " * 100) is None
    endpoint.handler = lambda prompt, before: completion("raise the arm " * 100)
    with pytest.raises(InputError, match="it has 302 tokens; minilm takes 256"):
        ask_model(
            LABELS[:1],
            LABELS,
            PROMPTS,
            settings(endpoint),
            AnswerRecord(tmp_path / "r.jsonl"),
            partial(load_provider, settings(endpoint)),
            check,
        )
    assert (tmp_path / "r.jsonl").read_text() == ""


def test_shipped_prompts_have_the_place_and_strange_ones_are_told(tmp_path: Path) -> None:
    assert list(load_prompts()) == ["LLMad", "LLMmd", *PART_VIEWS]
    with pytest.raises(InputError, match="no prompts"):
        load_prompts(tmp_path)
    (tmp_path / "LLMad.txt").write_text("Describe it.")
    with pytest.raises(InputError, match=r"\{label\} is nowhere in it"):
        load_prompts(tmp_path)
    (tmp_path / "LLMad.txt").rename(tmp_path / "llmad.txt")
    with pytest.raises(InputError, match="'llmad' is no view"):
        load_prompts(tmp_path)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"provider": "openai"}, "model is empty"),
        ({"provider": "openai", "model": "m", "samples": 2}, "at temperature 0"),
    ],
)
def test_parameters_that_do_not_fit_are_told(values: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Describe(**values)


def test_recorded_answers_are_cleaned_or_refused(endpoint: Endpoint, tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    ask(path, settings(endpoint))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    good_text = lines[0]["text"]
    for thinking in ("<think>hm</think>", "hm</think>\n"):
        lines[0]["text"] = f'{thinking}"{good_text}"<|im_end|>'
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        texts = pd.concat(ask(path, settings(endpoint)).values())["text"].tolist()
        assert good_text in texts
        assert not any("hm" in text or "<" in text for text in texts)
    lines[0]["text"] = f"Reasoning: the user wants that. {good_text}"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(InputError, match=r"speaks of the request.*delete its line"):
        ask(path, settings(endpoint))


@pytest.mark.parametrize("refused", ["max_tokens", "max_completion_tokens"])
def test_the_limit_has_the_name_that_the_server_knows(
    endpoint: Endpoint, tmp_path: Path, refused: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def handler(prompt: str, before: int) -> Any:
        if refused in endpoint.bodies[-1]:
            message = f"Unsupported parameter: '{refused}' is not supported with this model."
            error = json.dumps({"error": {"message": message}})
            return Response(error, status=400, content_type="application/json")
        return good(prompt)

    endpoint.handler = handler
    # Without base_url the client takes OpenAI's address, or what its own variable says.
    monkeypatch.setenv("OPENAI_BASE_URL", endpoint.url)
    base = endpoint.url if refused == "max_tokens" else ""
    ask(tmp_path / "r.jsonl", settings(endpoint, base_url=base, concurrency=1, max_tokens=77))
    refusals = [refused in body for body in endpoint.bodies]
    assert refusals == [True, *[False] * 8]  # once, and then never again
    assert all({**body, refused: 77}[refused] == 77 for body in endpoint.bodies)


@pytest.mark.parametrize(
    "reply",
    [
        lambda: Response("404 page not found", status=404),
        lambda: Response('{"error": "Unexpected endpoint"}', content_type="application/json"),
        lambda: Response("<html>hello</html>", content_type="text/html"),
    ],
)
def test_an_address_without_its_version_is_told(
    httpserver: HTTPServer, tmp_path: Path, reply: Callable[[], Response],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    httpserver.expect_request("/chat/completions").respond_with_handler(lambda request: reply())
    address = httpserver.url_for("/").rstrip("/")
    describe = Describe(provider="openai", model="m", base_url=address, retries=0)
    with pytest.raises(InputError, match=rf"try describe\.base_url {address}/v1"):
        ask(tmp_path / "r.jsonl", describe)


def test_an_endpoint_that_gives_nothing_is_not_asked_for_all(
    endpoint: Endpoint, tmp_path: Path
) -> None:
    endpoint.handler = lambda prompt, before: {"error": {"code": 402, "message": "no credit"}}
    with pytest.raises(InputError, match=r"the server reports an error: 'no credit' \(402\)"):
        ask(tmp_path / "r.jsonl", settings(endpoint, concurrency=1))
    assert sum(endpoint.asked.values()) == 3


def test_classes_are_done_when_their_answers_are_usable(
    endpoint: Endpoint, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    endpoint.handler = lambda prompt, before: (
        completion("") if "sit down" in prompt or "What is wave" in prompt else good(prompt)
    )
    with pytest.raises(InputError, match="3 of 8 questions"):
        ask(tmp_path / "r.jsonl", settings(endpoint))
    assert "2 of 4 classes done, 5 of 8 answers" in capsys.readouterr().err
