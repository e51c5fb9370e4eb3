"""Semantic ridge: the linear map from features to texts with the least squared error.

S = seen classes · E = width of the texts side by side. ``W = argmin sum_i |W x_i - t(y_i)|^2 + g N
|W|^2``, with x standardised features of N samples and t(y) the centred text of the class; a sample
is of the class with the largest cosine between W x and its text. The formula that any other method
has to beat. Regression to semantic vectors is that of Palatucci et al. (Zero-Shot Learning with
Semantic Output Codes, NIPS 2009).
"""

from __future__ import annotations

from torch import Tensor

from amsf.model.closed_form import LinearAligner


class RidgeAligner(LinearAligner):
    """``(X'X + g N I)^-1 X'Y T``, with Y one-hot and T the centred texts."""

    CODE = (1.0, 0.0)
    TEXT_PENALTIES = (0.0,)

    def text_side(self, texts: Tensor, penalty: float) -> Tensor:
        """The texts themselves: (S, E) -> (S, E)."""
        return texts
