"""What is wrong with an address in the parameters, without repeating a secret in it."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit


def find_address_fault(address: str) -> str | None:
    """Why an endpoint's address cannot be used, or None; an empty one is none."""
    if not address:
        return None
    if not address.isprintable() or " " in address:
        return "has a blank or a control character in it; give the address alone"
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:  # its message may hold a password that was taken for a port
        return "is no web address; expected such as http://localhost:8000/v1"
    if "@" in unquote(parts.netloc):
        return (
            "has a user or password in it, and params.yaml is shared; give the address alone, and "
            "the key as OPENAI_API_KEY in the environment"
        )
    if parts.query or parts.fragment or "?" in address or "#" in address:
        return (
            "has a query (what follows `?` or `#`), where keys are written, and params.yaml is "
            "shared; give the address alone, and the key as OPENAI_API_KEY in the environment"
        )
    if parts.path.rstrip("/").endswith("/completions"):
        return "ends in the name of a call; leave /chat/completions away"
    if parts.scheme not in ("http", "https") or not host:
        return "is no web address; expected http:// or https://, such as http://localhost:8000/v1"
    return None


def find_scheduler_fault(address: str) -> str | None:
    """Why a Dask scheduler's address cannot be used, or None."""
    try:
        port = urlsplit(address).port
    except ValueError:
        port = 0
    if address and not port:
        return f"is {address!r:.80}; its port must lie in 1 to 65535"
    return None
