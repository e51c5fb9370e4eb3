"""What partition and roles know of recordings: names and numbers, whatever stands behind them.

N = recordings.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np


class Annotations(Protocol):
    """The recordings of a dataset, be they joints or features of an encoder.

    Attributes:
        dataset: the dataset's name.
        names: the N unique names.
        label: (N,) int64, 0-based class ids; -1 unknown, as for the other numbers.
        subject, camera, setup: (N,) int64, as numbered by the dataset.
    """

    @property
    def dataset(self) -> str: ...
    @property
    def names(self) -> list[str]: ...
    @property
    def label(self) -> np.ndarray: ...
    @property
    def subject(self) -> np.ndarray: ...
    @property
    def camera(self) -> np.ndarray: ...
    @property
    def setup(self) -> np.ndarray: ...

    def __len__(self) -> int: ...

    def __getitem__(self, i: int) -> np.ndarray:
        """What was measured in recording ``i``."""

    def validate(self, classes: int | None = None) -> None:
        """Read everything once and check it, labels against the number of classes."""
