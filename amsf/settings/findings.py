"""What is wrong with parameters, in words: pydantic's findings as sentences."""

from __future__ import annotations

import difflib
import re
import reprlib
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

from amsf.base.errors import InputError

SectionT = TypeVar("SectionT", bound=BaseModel)

NAME = r"^[a-z0-9][a-z0-9_-]{0,99}$"  # names folders
DEVICE = r"^(auto|cpu|mps|cuda(:\d{1,3})?)$"
SCHEDULER = r"^$|^(tcp|tls|ws|wss|ucx)://.+:\d+$"
FORMS = {  # a pattern -> what it takes
    NAME: "lower-case letters, digits, '-' and '_', 100 at most",
    DEVICE: "auto, cpu, mps, cuda, or one of several such as cuda:1",
    SCHEDULER: "an address such as tcp://10.0.0.1:8786, or nothing",
}


def validate(kind: type[SectionT], raw: dict[str, Any], where: str) -> SectionT:
    """Build a section from raw values.

    Raises:
        InputError: some are wrong; the message begins with ``where`` and lists all mistakes.
    """
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        findings = [_finding(kind, item) for item in error.errors()]
        raise InputError(f"{where}: " + "; ".join(findings)) from None


def _finding(kind: type[BaseModel], item: Any) -> str:
    """Put one of pydantic's errors into words, with the nearest valid name for an unknown one."""
    place = ".".join(str(part) for part in item["loc"]) or "parameters"
    if item["type"] == "extra_forbidden":
        fields = _fields_at(kind, item["loc"][:-1])
        return f"{place} is no parameter{nearest(str(item['loc'][-1]), fields)}"
    if item["type"] == "missing":
        return f"{place} is missing; write it, as the repository's file has it"
    if item["type"] == "value_error":
        return str(item["ctx"]["error"])
    hint = ""
    if item["type"] == "literal_error":
        allowed = re.findall(r"'([^']*)'", item["ctx"]["expected"])
        hint = nearest(str(item["input"]), allowed)
    if item["type"] == "unknown_name":
        hint = nearest(str(item["input"]), item["ctx"]["known"].split(", "))
    expected = _EXPECTED.get(item["type"], item["msg"]).replace("Input should be", "expected")
    if item["type"] == "string_pattern_mismatch":
        expected = f"expected {FORMS[item['ctx']['pattern']]}"
    # reprlib: YAML aliases can make a short file's value too long to print.
    return f"{place} is {reprlib.repr(item['input'])}: {expected}{hint}"


_EXPECTED = {  # pydantic's type of a finding -> what we say instead
    "tuple_type": "expected a list, such as [one, another]",
    "too_short": "expected at least one entry",
    "string_too_short": "expected some text",
}


def _fields_at(kind: type[BaseModel], place: tuple[Any, ...]) -> list[str]:
    """The names that are valid at a place, such as ``("benchmarks", "demo-u8")``."""
    annotation: Any = kind
    for part in place:
        if get_origin(annotation) is dict:  # the benchmarks, by name
            annotation = get_args(annotation)[1]
        elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
            field = annotation.model_fields.get(str(part))
            annotation = None if field is None else field.annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return list(annotation.model_fields)
    return []


def nearest(name: str, valid: list[str]) -> str:
    """A question with the valid name that a wrong one is most like; empty if it is like none."""
    close = difflib.get_close_matches(name, valid, n=1, cutoff=0.5)
    return f"; did you mean '{close[0]}'?" if close else ""
