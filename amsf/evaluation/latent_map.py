"""The points of a map of the shared space, as evaluation writes and the report reads them.

N = samples · K = shown classes. :mod:`amsf.evaluation.projection` makes them; nothing here imports
torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from amsf.base.errors import InputError
from amsf.base.storage import read_json


@dataclass(frozen=True)
class LatentMap:
    """Points of the plane.

    Attributes:
        samples: (N, 2), embedded skeleton features.
        labels: (N,) their classes.
        prototypes: (K, 2), the classes' embedded texts.
        classes: (K,) which classes these are.
        explained: the share of the samples' variance that the plane shows.
    """

    samples: np.ndarray
    labels: np.ndarray
    prototypes: np.ndarray
    classes: np.ndarray
    explained: float

    def to_json(self) -> dict[str, Any]:
        """Plain lists; places to four decimals, which is more than a picture shows."""
        return {
            "classes": self.classes.tolist(),
            "explained": round(self.explained, 4),
            "labels": self.labels.tolist(),
            "prototypes": self.prototypes.round(4).tolist(),
            "samples": self.samples.round(4).tolist(),
        }

    @classmethod
    def load(cls, path: Path) -> LatentMap:
        """Read a map that evaluation wrote.

        Raises:
            InputError: the file is missing or is no such map.
        """
        raw = read_json(path)
        try:
            return cls(
                samples=np.array(raw["samples"], float).reshape(-1, 2),
                labels=np.array(raw["labels"], int),
                prototypes=np.array(raw["prototypes"], float).reshape(-1, 2),
                classes=np.array(raw["classes"], int),
                explained=float(raw["explained"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"{path}: not a map of the shared space ({error!r}); run the evaluate stage again"
            ) from error
