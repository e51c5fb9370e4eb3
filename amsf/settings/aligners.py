"""The alignment methods by name: what ``model.aligner`` may be.

A name stands for a class, written ``module:class`` so that reading the parameters imports no torch.
docs/methods.md says what each is, docs/extending.md how to add one.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Method:
    """An alignment method, as the parameters know it.

    Attributes:
        place: its class, ``module:class``.
        fused: whether it uses the fusion module, so that ``model.fusion`` must fit the texts.
    """

    place: str
    fused: bool = False


ALIGNERS: dict[str, Method] = {
    "vae": Method("amsf.model.vae_aligner:VaeAligner", fused=True),
    "ridge": Method("amsf.model.linear_maps:RidgeAligner"),
    "prototypes": Method("amsf.model.prototypes:PrototypesAligner"),
    "eszsl": Method("amsf.model.linear_maps:EszslAligner"),
    "conse": Method("amsf.model.conse:ConseAligner"),
    "auto": Method("amsf.model.auto:AutoAligner"),
    "contrastive": Method("amsf.model.contrastive:ContrastiveAligner"),
    "sa_dvae": Method("amsf.model.sa_dvae:SaDvaeAligner", fused=True),
}
