"""Contrastive alignment: a linear map to texts, pulled to the own class's text among a batch's.

B = batch · N = samples · S = seen classes · E = width of the texts side by side · F = skeleton
feature width. Source: the training loss of PGFA (IEEE Transactions on Image Processing 2025), also
DVTA's direct alignment, on features instead of a whole encoder.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import kl_div, normalize

from amsf.machine.linear import LinearMap
from amsf.model.aligner import Batch, Config, Progress, SteppedAligner
from amsf.model.closed_form import TextSpaceAligner, side_by_side

START = math.log(1 / 0.07)
TARGET = 10.0  # logit of a pair of one class in the targets


class ContrastiveAligner(TextSpaceAligner, SteppedAligner):
    """The map and its sharpness, which is learnt."""

    TERMS = ("to_texts", "to_skeletons")

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.map = LinearMap(config.feature_width, self.width)
        self.log_sharpness = nn.Parameter(torch.tensor(START))

    @property
    def wants_all_classes(self) -> bool:
        """Texts are centred by the mean over all seen classes, not by that of a batch's."""
        return True

    def losses(self, batch: Batch, progress: Progress) -> Mapping[str, Mapping[str, Tensor]]:
        """KL(P || softmax(l)) by rows, and by columns, with l (B, B) the sharpened cosines.

        P is the softmax of 10 where two samples are of one class and 0 elsewhere.
        """
        self.centre = side_by_side(batch.text).mean(dim=0)
        texts = self.embed_text(batch.text)[batch.classes]
        logits = self.log_sharpness.exp() * self.embed(batch.features) @ texts.T
        alike = batch.classes[:, None] == batch.classes[None]
        target = (TARGET * alike).softmax(dim=1)  # symmetric
        terms = {
            name: kl_div(side.log_softmax(dim=1), target, reduction="batchmean")
            for name, side in zip(self.TERMS, (logits, logits.T))
        }
        return {"all": terms}

    def weights(self, progress: Progress) -> Mapping[str, float]:
        """Half each."""
        return dict.fromkeys(self.TERMS, 0.5)

    def embed(self, features: Tensor) -> Tensor:
        """Where the map puts skeletons: (N, F) -> (N, E), rows of length 1."""
        if self.config.model.normalise_features:
            features = normalize(features, dim=1)
        return normalize(self.map(features), dim=1)
