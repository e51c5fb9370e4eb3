"""Addresses in the parameters: those that work, and what a wrong one must not give away."""

from __future__ import annotations

import pytest

from amsf.settings.addresses import find_address_fault, find_scheduler_fault


@pytest.mark.parametrize(
    "address",
    ["", "http://localhost:8000/v1", "https://x.example/openai/v1/", "http://[::1]:8000/v1"],
)
def test_endpoints(address: str) -> None:
    assert find_address_fault(address) is None


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("http://user:sk-secret@host/v1", "user or password"),
        ("http://user:sk-secret%40host/v1", "no web address"),
        ("http://u%3Ask-secret%40host/v1", "user or password"),
        ("http://host/v1?api_key=sk-secret", "query"),
        ("http://host/v1?sk-secret", "query"),
        ("http://host/v1?", "query"),
        ("http://host/v1#sk-secret", "query"),
        ("http://host:sk-secret/v1", "no web address"),
        ("http://host:99999999/v1", "no web address"),
        ("http://[::1/v1", "no web address"),
        ("localhost:8000/v1", "no web address"),
        ("ftp://host/v1", "no web address"),
        ("file:///etc/passwd", "no web address"),
        ("http:///v1", "no web address"),
        ("http://host/v1\x1b[2J", "control character"),
        ("http://ho st/v1", "blank"),
        ("http://host/v1/chat/completions", "name of a call"),
    ],
)
def test_what_is_wrong_is_told_without_the_secret(address: str, told: str) -> None:
    fault = find_address_fault(address) or "no fault"
    assert told in fault
    assert "secret" not in fault


@pytest.mark.parametrize(
    "address", ["", "tcp://host:8786", "tls://10.0.0.1:1", "tcp://[::1]:65535"]
)
def test_schedulers(address: str) -> None:
    assert find_scheduler_fault(address) is None


@pytest.mark.parametrize(
    "address", ["tcp://host:99999999", "tcp://host:0", "tcp://[::1:1", "tcp://h:x"]
)
def test_ports_that_there_are_not(address: str) -> None:
    assert "port must lie in 1 to 65535" in (find_scheduler_fault(address) or "no fault")
