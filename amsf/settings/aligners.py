"""The alignment methods by name: what ``model.aligner`` may be.

A name stands for a class, written ``module:class`` so that reading the parameters imports no torch.
docs/extending.md shows how to add one.
"""

from __future__ import annotations

ALIGNERS: dict[str, str] = {
    "vae": "amsf.model.vae_aligner:VaeAligner",
}
