"""ESZSL: the bilinear map between features and texts with a closed form.

S = seen classes · E = width of the texts side by side. Source: Romera-Paredes and Torr, An
embarrassingly simple approach to zero-shot learning, ICML 2015. The score of a class with text t is
x' V t, and V the minimum of ``|X V T' - Y|^2 + a |V T'|^2 + h |X V|^2 + a h |V|^2``, with X (N, F)
the samples, T (S, E) the texts, Y (N, S) 1 at a sample's class and -1 elsewhere, and a = g N.
Texts have length 1, so the class with the largest score is that of the largest cosine between V' x
and t.
"""

from __future__ import annotations

import torch
from torch import Tensor

from amsf.model.closed_form import LinearAligner


class EszslAligner(LinearAligner):
    """``V = (X'X + g N I)^-1 X'Y T (T'T + h I)^-1``, with Y in {-1, 1}."""

    CODE = (1.0, -1.0)
    # Texts have length 1: the eigenvalues of T T' are around 1.
    TEXT_PENALTIES = (0.01, 0.1, 1.0, 10.0)

    def text_side(self, texts: Tensor, penalty: float) -> Tensor:
        """``T (T'T + h I)^-1 = (T T' + h I)^-1 T``, the smaller of the two: (S, E) -> (S, E)."""
        gram = texts @ texts.T
        return torch.linalg.solve(gram + penalty * torch.eye(len(texts)).to(gram), texts)
