"""A classifier of the seen classes on features that know no classes, and their standardisation.

The gate and the answers for seen classes need logits; features such as the motion summary come
without. A multinomial logistic regression gives them.

Axis letters: N samples, F feature width, S classes that were learnt, C classes of the dataset.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Of columns of classes that were not learnt. At every temperature up to 50 their share of the
# softmax is below 1e-8, since a learnt logit is within some ten of zero.
UNLEARNT = -1000.0
# Features further than this from the mean, in deviations, count as this far: a body that the
# sensor lost for a moment would else outweigh all others.
CLIP = 5.0
# scikit-learn's C. With subjects left out in turn on UTKinect, Florence 3D and the training
# subjects of UTD-MHAD (a quarter of the classes left out, too) 0.3 named 92.2, 83.2 and 86.8 % of
# new people's recordings, 0.01 named 91.1, 80.9 and 84.0 %, and 1 named 92.0, 83.0 and 86.9 %.
_REGULARISATION = 0.3
_STEPS = 2000


@dataclass(frozen=True)
class Scaling:
    """Standardisation by the samples that it was fitted on.

    Attributes:
        mean, deviation: (F,) float64; the deviation of a constant column is 1.
    """

    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def fit(cls, features: np.ndarray) -> Scaling:
        """Take the statistics of (N, F) training samples."""
        features = np.asarray(features, np.float64)
        deviation = features.std(0)
        return cls(features.mean(0), np.where(deviation < 1e-6, 1.0, deviation))

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """(N, F) -> (N, F) float32, within 5 deviations of the mean."""
        scaled = (np.asarray(features, np.float64) - self.mean) / self.deviation
        return np.clip(scaled, -CLIP, CLIP).astype(np.float32)


@dataclass(frozen=True)
class SeenClassifier:
    """A fitted multinomial logistic regression as plain numbers.

    Attributes:
        columns: (S,) int64, the classes that were learnt, ascending.
        weight: (S, F) float64.
        bias: (S,) float64.
        classes: C.
    """

    columns: np.ndarray
    weight: np.ndarray
    bias: np.ndarray
    classes: int

    @classmethod
    def fit(
        cls, features: np.ndarray, labels: np.ndarray, columns: Sequence[int], classes: int
    ) -> SeenClassifier:
        """Fit on standardised features.

        Args:
            features: (N, F).
            labels: (N,) class ids; each of ``columns`` has a sample, and no other class has.
            columns: the S classes to learn.
            classes: C.
        """
        from sklearn.linear_model import LogisticRegression  # a second, and few stages fit

        known = np.sort(np.asarray(columns, np.int64))
        if len(known) == 1:  # nothing to distinguish
            return cls(known, np.zeros((1, features.shape[1])), np.zeros(1), classes)
        x = np.asarray(features, np.float64)
        found = LogisticRegression(C=_REGULARISATION, max_iter=_STEPS)
        with warnings.catch_warnings():
            # Of labels that might be measurements, since they are many for so few samples.
            warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
            found.fit(x, labels)
        weight, bias = found.coef_, found.intercept_
        if len(known) == 2:  # one logit, of the second class
            weight, bias = np.concatenate([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
        return cls(known, weight, bias, classes)

    @classmethod
    def fit_first(
        cls, features: np.ndarray, labels: np.ndarray, columns: Sequence[int], classes: int
    ) -> SeenClassifier:
        """Fit as :meth:`fit` does, on samples of other datasets too, and forget their classes.

        Args:
            features: (N, F).
            labels: (N,) class ids; those from ``classes`` on are of other datasets.
            columns: the S classes to learn of the first.
            classes: C of the first.
        """
        others = np.unique(labels[labels >= classes]).tolist()
        total = max([classes - 1, *others]) + 1
        fitted = cls.fit(features, labels, [*columns, *others], total)
        own = fitted.columns < classes
        return cls(fitted.columns[own], fitted.weight[own], fitted.bias[own], classes)

    def logits(self, features: np.ndarray) -> np.ndarray:
        """(N, F) standardised -> (N, C) float32; columns that were not learnt are -1000."""
        logits = np.full((len(features), self.classes), UNLEARNT, np.float32)
        logits[:, self.columns] = np.asarray(features, np.float64) @ self.weight.T + self.bias
        return logits
