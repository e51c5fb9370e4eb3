"""YAML as DVC reads it, so that one file means the same to both; a key twice is an error.

That is YAML 1.2: ``010`` is ten, ``1e-4`` is a number and ``yes`` is text.
"""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError, SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.representer import SafeRepresenter

from amsf.base.errors import InputError

# Errors of the library for a bad encoding, a bad date, or a value that does not fit its tag.
_OF_VALUES = (ValueError, LookupError, TypeError, AttributeError, AssertionError)


class SafeUniqueKeys(SafeConstructor):
    """Builds plain values alone; the second of two equal keys in a mapping is an error.

    It is so with the library's own constructor too, but that one's message holds both values,
    which aliases can make too long to print.
    """

    def check_mapping_key(
        self, node: Any, key_node: Any, mapping: Any, key: Any, value: Any
    ) -> bool:
        if key in mapping:
            problem = f"'{key!s:.60}' is there twice; keep one of them"
            raise DuplicateKeyError(None, None, problem, key_node.start_mark)
        return True


# A set of texts has another order in each process, and the order of views and lists counts.
SafeUniqueKeys.add_constructor("tag:yaml.org,2002:set", SafeConstructor.construct_undefined)


class QuotingRepresenter(SafeRepresenter):
    """Quotes all text but plain words: the library writes a ``:0`` that it cannot read back."""

    def represent_str(self, data: str) -> Any:
        plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", data)
        return self.represent_scalar("tag:yaml.org,2002:str", data, None if plain else '"')


QuotingRepresenter.add_representer(str, QuotingRepresenter.represent_str)


def read_yaml(path: Path) -> Any:
    """Read a YAML file that exists; nothing but plain values is built from it.

    Raises:
        InputError: it is not UTF-8 or not YAML, or a key is there twice in one mapping.
    """
    return parse_yaml(path.read_bytes(), str(path))


def parse_yaml(content: str | bytes, where: str) -> Any:
    """Read YAML as :func:`read_yaml` does; ``where`` names the content in messages."""
    reader = YAML(typ="safe", pure=True)
    reader.Constructor = SafeUniqueKeys
    try:
        return reader.load(content if isinstance(content, str) else content.decode("utf-8"))
    except (YAMLError, *_OF_VALUES) as error:
        raise InputError(f"{where}: not valid YAML ({_explain(error)}); correct it") from error
    except RecursionError as error:
        raise InputError(
            f"{where}: not valid YAML (nested too deeply); expected a mapping of names to values"
        ) from error


def dump_yaml(value: Any) -> str:
    """Plain values as YAML, in their order; innermost lists and mappings in flow style."""
    writer = YAML(typ="safe", pure=True)
    writer.Representer = QuotingRepresenter
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    writer.default_flow_style = None
    writer.width = 96
    out = io.StringIO()
    writer.dump(value, out)
    return out.getvalue()


def _explain(error: Exception) -> str:
    """What is wrong and where, without the lines around it that the library shows."""
    if isinstance(error, MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return f"line {mark.line + 1}, column {mark.column + 1}: {error.problem}"
    return " ".join(str(error).split())
