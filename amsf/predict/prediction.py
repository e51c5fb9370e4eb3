"""What is said of a recording: its answer, the other classes, and how usual it is."""

from __future__ import annotations

import math
from dataclasses import dataclass

from amsf.predict.why import Why

NONE = "none of these"  # said of a recording that is refused


@dataclass(frozen=True)
class ClassScore:
    """A class and its probability; classes added by words have ids behind the dataset's."""

    id: int
    label: str
    seen: bool
    probability: float


@dataclass(frozen=True)
class Prediction:
    """What is said of one recording.

    Attributes:
        recording: its name.
        unseen_probability: that it is of an unseen class; above 0.5 the answer is an unseen one.
        classes: all C, the answer first, the others by falling probability; they sum to 1.
        p_value: the share of recordings of these classes that are at least as strange to them;
            where it is small, the recording may be of none.
        why: what stands behind the answer, where that was asked.
    """

    recording: str
    unseen_probability: float
    classes: tuple[ClassScore, ...]
    p_value: float
    why: Why | None = None

    @property
    def answer(self) -> ClassScore:
        """The class that evaluation would predict."""
        return self.classes[0]

    def is_none(self, false_alarms: float | None) -> bool:
        """Whether it is of none of the classes, at a rate of false alarms; never where None."""
        return false_alarms is not None and self.p_value <= false_alarms

    def is_finite(self) -> bool:
        """Whether its probabilities are numbers; of coordinates beyond all bodies they are none."""
        numbers = [
            self.unseen_probability,
            self.p_value,
            *(score.probability for score in self.classes),
        ]
        return all(math.isfinite(number) for number in numbers)
