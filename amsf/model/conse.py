"""ConSE: a sample lies between the texts of the seen classes that it resembles.

N = samples · S = seen classes · E = width of the texts side by side · F = skeleton feature width.
Source: Norouzi et al., Zero-shot learning by convex combination of semantic embeddings, ICLR 2014.
``f(x) = sum over the ten most probable seen classes s of p(s|x) t_s``; a sample is of the class
whose text is nearest to f(x) by cosine. p is a multinomial logistic regression on standardised
features.
"""

from __future__ import annotations

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor
from torch.nn.functional import normalize

from amsf.model.aligner import Config
from amsf.model.closed_form import StandardisedAligner, centre_views

TOP = 10
SHARPNESS = 10.0  # of the softmax over cosines
PASSES = 1000  # at most, of the regression's solver


class ConseAligner(StandardisedAligner):
    """The regression's weights (S, F) and bias (S,), and the seen classes' texts (S, E)."""

    weight: Tensor
    bias: Tensor
    seen_texts: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        seen = len(config.learnt)
        self.register_buffer("weight", torch.zeros(seen, config.feature_width))
        self.register_buffer("bias", torch.zeros(seen))
        self.register_buffer("seen_texts", torch.zeros(seen, self.width))

    def _learn(self, x: Tensor, classes: Tensor, texts: Tensor) -> dict[str, Tensor]:
        weight, bias = np.zeros((len(texts), x.shape[1])), np.zeros(len(texts))
        if len(texts) > 1:
            fitted = LogisticRegression(max_iter=PASSES).fit(x.numpy(), classes.numpy())
            # Of two classes scikit-learn keeps the second's alone, beside zeros for the first.
            weight[-len(fitted.coef_) :], bias[-len(fitted.coef_) :] = (
                fitted.coef_,
                fitted.intercept_,
            )
        return {
            "weight": torch.from_numpy(weight),
            "bias": torch.from_numpy(bias),
            "seen_texts": centre_views(texts, texts.mean(dim=0), len(self.config.model.views)),
            "log_sharpness": torch.tensor(SHARPNESS).log(),
        }

    @torch.no_grad()
    def embed(self, features: Tensor) -> Tensor:
        """The mixture of the seen classes' texts: (N, F) -> (N, E), rows of length 1."""
        logits = self.standardised(features) @ self.weight.T + self.bias
        chances, places = logits.softmax(dim=1).topk(min(TOP, logits.shape[1]), dim=1)
        mixed = torch.zeros_like(logits).scatter(1, places, chances) @ self.seen_texts
        return normalize(mixed, dim=1)
