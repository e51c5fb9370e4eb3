"""What evaluation leaves of confidence for predictions: one JSON file a benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from amsf.base.errors import InputError
from amsf.base.storage import read_json, write_json
from amsf.evaluation.confidence.strangeness import Strangeness


@dataclass(frozen=True)
class Confidence:
    """Temperatures and the measure of strangeness.

    Attributes:
        temperatures: seed, or ``ensemble`` -> that of its probabilities of the unseen classes.
        strangeness: of recordings to all classes of the benchmark.
    """

    temperatures: Mapping[str, float]
    strangeness: Strangeness

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        temperatures = dict(self.temperatures)
        write_json(path, {"temperatures": temperatures, "strangeness": self.strangeness.to_json()})

    @classmethod
    def load(cls, path: Path) -> Confidence:
        """Read what :meth:`save` wrote.

        Raises:
            InputError: the file is missing or holds something else.
        """
        raw = read_json(path)
        try:
            temperatures = {str(name): float(t) for name, t in raw["temperatures"].items()}
            if not temperatures or min(temperatures.values()) <= 0:
                raise ValueError(f"temperatures {temperatures}")
            return cls(temperatures, Strangeness.from_json(raw["strangeness"]))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"{path}: no temperatures and calibration scores ({error!r}); expected what "
                "`stages.evaluate` writes: run `dvc repro`"
            ) from error
