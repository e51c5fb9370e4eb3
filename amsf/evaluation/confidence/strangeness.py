"""How strange a recording is to all named classes, with a conformal p-value.

N = samples · S = calibration samples of seen classes · U = those of classes that count as unseen.
A recording of a named class lies near a seen class or near the place where texts put an unseen one;
one of no named class is far from both. How far is too far is read off the recordings of people, and
for the unseen side of classes, that the measure was fitted without.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy.optimize import brentq

_FARTHEST = 10.0  # deviations, for the offset


@dataclass(frozen=True)
class Distances:
    """How far N samples are from the nearest class of each side; (N,) each."""

    to_seen: np.ndarray
    to_unseen: np.ndarray


@dataclass(frozen=True)
class Strangeness:
    """``min((a - m_a) / s_a, (b - m_b) / s_b - offset)`` of the distances a to seen, b to unseen.

    Attributes:
        mean, deviation: of a over samples of seen classes, and of b over those of unseen ones.
        offset: makes both sides' samples equally strange on average, so that none is refused more
            often than the other.
        seen, unseen: (S,) and (U,) strangeness of the calibration samples, rising.
    """

    mean: tuple[float, float]
    deviation: tuple[float, float]
    offset: float
    seen: np.ndarray
    unseen: np.ndarray

    @classmethod
    def fit(cls, seen: Distances, unseen: Distances) -> Self:
        """Fit on calibration samples of both sides, at least one each."""
        own = (seen.to_seen, unseen.to_unseen)
        mean = (float(own[0].mean()), float(own[1].mean()))
        deviation = tuple(float(one.std()) if one.std() > 1e-9 else 1.0 for one in own)
        scale = (mean, (deviation[0], deviation[1]))

        def lead(offset: float) -> float:
            """How much stranger the seen side is on average: negative far left, positive right."""
            one, other = (_score(side, *scale, offset).mean() for side in (seen, unseen))
            return float(one - other)

        ends = (-_FARTHEST, _FARTHEST)
        offset = float(brentq(lead, *ends)) if lead(ends[0]) < 0 < lead(ends[1]) else 0.0
        sides = (np.sort(_score(side, *scale, offset)) for side in (seen, unseen))
        return cls(*scale, offset, *sides)

    def score(self, distances: Distances) -> np.ndarray:
        """The strangeness of N samples: (N,)."""
        return _score(distances, self.mean, self.deviation, self.offset)

    def p_values(self, distances: Distances, seen: int, unseen: int) -> np.ndarray:
        """The share of named classes' recordings that are at least as strange as each sample: (N,).

        The p-value of split conformal prediction (Vovk et al., Algorithmic Learning in a Random
        World, 2005), weighted so that every named class counts alike (Podkopaev and Ramdas,
        Distribution-free uncertainty quantification for classification under label shift, UAI
        2021). Where people and classes are exchangeable with those left out, at most a share a of
        the named classes' recordings has a p-value of a or less, but for the few numbers of the
        measure that were fitted on the calibration samples too.

        Args:
            distances: of the samples.
            seen, unseen: how many classes each side has.
        """
        score = self.score(distances)
        weights = self._weights(seen, unseen)
        above = sum(
            weight * (len(side) - np.searchsorted(side, score, side="left"))
            for weight, side in zip(weights, (self.seen, self.unseen))
        )
        largest = max(weights)
        return np.asarray((above + largest) / (1 + largest))

    def finest(self, seen: int, unseen: int) -> float:
        """The smallest p-value that there can be; arguments as of :meth:`p_values`."""
        largest = max(self._weights(seen, unseen))
        return largest / (1 + largest)

    def _weights(self, seen: int, unseen: int) -> tuple[float, float]:
        """What a calibration sample of each side counts; all together 1."""
        classes = seen + unseen
        return seen / classes / len(self.seen), unseen / classes / len(self.unseen)

    def to_json(self) -> dict[str, Any]:
        """Plain numbers and lists."""
        return {
            "mean": list(self.mean),
            "deviation": list(self.deviation),
            "offset": self.offset,
            "seen": self.seen.tolist(),
            "unseen": self.unseen.tolist(),
        }

    @classmethod
    def from_json(cls, raw: Any) -> Self:
        """Build it from what :meth:`to_json` gave; raises ValueError where it is none."""
        mean, deviation = ([float(v) for v in raw[name]] for name in ("mean", "deviation"))
        seen, unseen = (np.array(raw[name], float) for name in ("seen", "unseen"))
        if len(mean) != 2 or len(deviation) != 2 or min(deviation) <= 0:
            raise ValueError(f"mean {mean}, deviation {deviation}")
        for side in (seen, unseen):
            if side.ndim != 1 or not len(side) or not np.isfinite(side).all():
                raise ValueError("scores of a side that are no list of numbers")
        two = (mean[0], mean[1]), (deviation[0], deviation[1])
        return cls(*two, float(raw["offset"]), np.sort(seen), np.sort(unseen))


def _score(
    distances: Distances,
    mean: tuple[float, float],
    deviation: tuple[float, float],
    offset: float,
) -> np.ndarray:
    a = (distances.to_seen - mean[0]) / deviation[0]
    b = (distances.to_unseen - mean[1]) / deviation[1]
    return np.minimum(a, b - offset)


@dataclass(frozen=True)
class Refusals:
    """How often "none of these" is answered at a named rate; fractions of test samples.

    Attributes:
        rate: the share that was named.
        false_alarms: of recordings of named classes.
        seen, unseen: likewise, of the classes of either side.
        found: of recordings whose class is not named.
    """

    rate: float
    false_alarms: float
    seen: float
    unseen: float
    found: float
