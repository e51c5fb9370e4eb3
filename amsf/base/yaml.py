"""Reading YAML that people write: one that says a thing twice is refused.

PyYAML takes the last of two equal keys without a word, so that a section pasted a second time
would undo the first one quietly.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from amsf.base.errors import InputError


class _UniqueKeys(yaml.SafeLoader):
    """The safe loader; the second of two equal keys in a mapping is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None,
                        None,
                        f"'{key.value}' is there twice; keep one of them",
                        key.start_mark,
                    )
                seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> Any:
    """Read a YAML file that exists; nothing but plain values is built from it.

    Raises:
        InputError: it is not UTF-8 or not YAML, or a key is there twice in one mapping.
    """
    try:
        # A subclass of the safe loader: tags for Python objects are errors.
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeys)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: of the encoding, or of a date
        raise InputError(f"{path}: not valid YAML ({_told(error)}); mend it") from error
    except RecursionError as error:
        raise InputError(
            f"{path}: not valid YAML (nested too deeply); expected a mapping of names to values"
        ) from error


def _told(error: Exception) -> str:
    """What is wrong and where, without the lines around it that PyYAML shows."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return f"line {mark.line + 1}, column {mark.column + 1}: {error.problem}"
    return " ".join(str(error).split())
