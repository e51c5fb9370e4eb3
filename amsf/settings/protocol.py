"""The protocols `clean` and `reference`: each departure of the published code is one switch.

docs/protocols.md explains each switch.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

Selection = Literal["val", "last", "test"]
# strict: true would otherwise count as 1, and 1 or "yes" as true.
Float = Annotated[float, Field(strict=True)]
Flag = Annotated[bool, Field(strict=True)]
LogVariance = Annotated[Float, Field(ge=-50, le=50)]
Weight = Annotated[Float, Field(ge=0, le=1e6)]
Patience = Annotated[int, Field(ge=0, strict=True)]

GateName = Literal["regression", "probability", "energy", "distance", "stacking", "combined"]
GATES: tuple[GateName, ...] = get_args(GateName)
AUTO = "auto"  # whichever of them is best on validation classes


class Section(BaseModel):
    """A part of the parameters: unknown names are errors, values are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Protocol(Section):
    """The protocol's name and its switches; a switch left null is what the name says."""

    name: Literal["clean", "reference"] = "clean"
    selection: Selection | None = None
    patience: Patience | None = None
    normalise_at_evaluation: Flag | None = None
    standardise: Flag | None = None
    centre_texts: Flag | None = None
    fusion_start: Literal["linear", "random"] | None = None
    noise: Literal["independent", "shared"] | None = None
    initial_logvar: LogVariance | None = None
    kl_weight: Weight | None = None
    decoder: Literal["linear", "relu"] | None = None
    discriminative_weight: Weight | None = None
    read_out: Literal["text", "classifier"] | None = None
    classifier_relu: Flag | None = None
    classifier_restart: Flag | None = None
    schedule: Literal["steady", "fraction", "absolute"] | None = None
    seeding: Literal["run", "stream"] | None = None
    gate: GateName | Literal["auto"] | None = None
    gate_threshold: Literal["cross_validated", "training"] | None = None


class Switches(Section):
    """A protocol with every switch filled in; see docs/protocols.md for each."""

    name: Literal["clean", "reference"]
    selection: Selection
    patience: Patience
    normalise_at_evaluation: Flag
    standardise: Flag
    centre_texts: Flag
    fusion_start: Literal["linear", "random"]
    noise: Literal["independent", "shared"]
    initial_logvar: LogVariance
    kl_weight: Weight
    decoder: Literal["linear", "relu"]
    discriminative_weight: Weight
    read_out: Literal["text", "classifier"]
    classifier_relu: Flag
    classifier_restart: Flag
    schedule: Literal["steady", "fraction", "absolute"]
    seeding: Literal["run", "stream"]
    gate: GateName | Literal["auto"]
    gate_threshold: Literal["cross_validated", "training"]


# What the published code does (reference), and what a sound protocol would (clean).
PROTOCOLS: dict[str, dict[str, Any]] = {
    "clean": {
        "selection": "val",
        "patience": 3,
        "normalise_at_evaluation": True,
        "standardise": True,
        "centre_texts": True,
        "fusion_start": "linear",
        "noise": "independent",
        # Independent noise of the published size drowns the signal: the decoders die and the
        # prototypes collapse to one point. So it starts small, and KL weighs about what the
        # evidence bound gives it beside errors averaged over hundreds of entries.
        "initial_logvar": -5.0,
        "kl_weight": 1e-4,
        "decoder": "linear",
        "discriminative_weight": 0.03,
        "read_out": "text",
        "classifier_relu": False,
        "classifier_restart": True,
        "schedule": "steady",
        "seeding": "run",
        "gate": "combined",
        "gate_threshold": "cross_validated",
    },
    "reference": {
        "selection": "test",
        "patience": 0,
        "normalise_at_evaluation": False,
        "standardise": False,
        "centre_texts": False,
        "fusion_start": "random",
        "noise": "shared",
        "initial_logvar": 0.0,
        "kl_weight": 0.1,
        "decoder": "relu",
        "discriminative_weight": 0.0,
        "read_out": "classifier",
        "classifier_relu": True,
        "classifier_restart": False,
        "schedule": "absolute",
        "seeding": "stream",
        "gate": "regression",
        "gate_threshold": "training",
    },
}
