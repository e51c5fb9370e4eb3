"""The sections of ``params.yaml``, each with its parameters' types, ranges and own checks."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from amsf.settings.addresses import find_address_fault, find_scheduler_fault
from amsf.settings.aligners import ALIGNERS
from amsf.settings.findings import DEVICE, NAME, SCHEDULER
from amsf.settings.protocol import Flag, Section
from amsf.settings.values import (
    WHOLE_VIEWS,
    Count,
    Datasets,
    Few,
    Fusion,
    Kind,
    Natural,
    PositiveFloat,
    PositiveInt,
    Rate,
    Seeds,
    TorchSeed,
    Views,
    Width,
    distinct,
)


class Benchmark(Section):
    """A dataset and a class split; ``set`` overrides other sections for this benchmark alone.

    ``splits``: on how many random class splits ``python -m amsf.study`` compares methods.
    ``also``: other datasets that train too.
    """

    dataset: Annotated[str, Field(pattern=NAME)]
    unseen: Count
    source: Annotated[str, Field(min_length=1)]
    features: Literal["published", "backbone", "motion", "backbone+motion", "table"]
    splits: Natural = 0
    also: Datasets = ()
    set: dict[str, dict[str, Any]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _combinations(self) -> Benchmark:
        if self.dataset in self.also:
            raise ValueError(f"also has {self.dataset}, which is the benchmark's own dataset")
        if self.also and self.features == "published":
            raise ValueError(
                "also is set, but features is published: these were made for one set alone; set "
                "features to motion, backbone, backbone+motion or table"
            )
        return self

    @property
    def reads_recordings(self) -> bool:
        """Whether the features are made here, from recordings."""
        return self.features not in ("published", "table")

    @property
    def knows_all(self) -> bool:
        """Whether there are features of all recordings, for any class split."""
        return self.features != "published"


class Describe(Section):
    """Where the texts of the LLM views come from: shipped ones, or a model asked now."""

    provider: Literal["recorded", "openai", "transformers"] = "recorded"
    model: str = ""
    base_url: str = ""
    temperature: Annotated[float, Field(ge=0, le=2, strict=True)] = 0.0
    max_tokens: Count = 240
    samples: Few = 1
    concurrency: Few = 4
    retries: Annotated[Natural, Field(le=1000)] = 5
    timeout: Annotated[PositiveFloat, Field(le=86_400)] = 60.0

    @model_validator(mode="after")
    def _combinations(self) -> Describe:
        if self.provider != "recorded" and not self.model:
            raise ValueError(f"describe.model is empty; provider {self.provider} needs one")
        if fault := find_address_fault(self.base_url):
            raise ValueError(f"describe.base_url {fault}")
        if self.samples > 1 and self.provider != "recorded" and self.temperature == 0:
            raise ValueError(
                f"describe.samples is {self.samples} at temperature 0, where all are alike; raise "
                "describe.temperature or ask for one"
            )
        return self


EncoderName = Literal[
    "minilm",
    "mpnet",
    "clip-vit-b32",
    "clip-vit-b16",
    "clip-vit-l14",
    "longclip-b",
    "longclip-l",
    "path",
    "published",
]


# Width of a text vector, for the encoders whose name determines it.
TEXT_WIDTHS: dict[str, int] = {
    "minilm": 384,
    "mpnet": 768,
    "clip-vit-b32": 512,
    "clip-vit-b16": 512,
    "clip-vit-l14": 768,
    "longclip-b": 512,
    "longclip-l": 768,
}


class Text(Section):
    """The text encoder."""

    encoder: EncoderName = "minilm"
    checkpoint: str = ""
    over_long: Literal["error", "truncate"] = "error"

    @model_validator(mode="after")
    def _combinations(self) -> Text:
        needed = {"path": "a model's folder", "published": "the folder with {view}_{C}.npy"}
        if self.encoder in needed and not self.checkpoint:
            raise ValueError(
                f"text.encoder is {self.encoder}, but text.checkpoint is empty; set it to "
                f"{needed[self.encoder]}"
            )
        if self.encoder in ("minilm", "mpnet") and self.checkpoint:
            raise ValueError(
                f"text.checkpoint is set, but text.encoder {self.encoder} takes none; leave it "
                "out, or set text.encoder: path"
            )
        return self


class SplitParams(Section):
    """How the unseen classes are chosen."""

    kind: Kind = "listed"
    seed: Natural = 0
    same_meaning: Literal["leave_out", "keep"] = "leave_out"
    views: Views = ("lb", "MAad", "MAmd")


class Backbone(Section):
    """The skeleton encoder."""

    partition: Literal["subject", "setup", "view", "recording"] = "subject"
    epochs: Count = 10
    batch_size: PositiveInt = 32
    learning_rate: Rate = 3e-3
    frames: Annotated[int, Field(ge=16, le=4096, multiple_of=8, strict=True)] = 16
    seed: TorchSeed = 0


def _known_aligner(name: str) -> str:
    if name not in ALIGNERS:
        raise PydanticCustomError(
            "unknown_name", "expected one of {known}", {"known": ", ".join(ALIGNERS)}
        )
    return name


AlignerName = Annotated[str, AfterValidator(_known_aligner)]


class Model(Section):
    """The alignment method, fusion of the text views, and the cross-modal VAE."""

    aligner: AlignerName = "vae"
    fusion: Fusion = "MHA"
    layers: Few = 1
    heads: Few = 4
    ratio: Few | None = None
    kernel: Few = 1
    reduction: Few = 3
    latent: Width = 200
    style: Width = 8
    normalise_features: Flag = True
    views: Views = WHOLE_VIEWS

    @property
    def fused(self) -> bool:
        """Whether the alignment method uses the fusion module."""
        return ALIGNERS[self.aligner].fused

    @model_validator(mode="after")
    def _combinations(self) -> Model:
        if not self.fused:
            return self
        if self.fusion == "Conv" and self.kernel not in (1, 3, 5, 7, 9):
            raise ValueError(f"kernel is {self.kernel}; Conv takes 1, 3, 5, 7 or 9")
        if self.fusion == "MSCA" and self.kernel % 2 == 0:
            raise ValueError(f"kernel is {self.kernel}; MSCA takes an odd one")
        return self


class Train(Section):
    """Optimisation of the VAE and of the unseen classifier."""

    cycles: Count = 10
    steps_per_cycle: Count = 20
    batch_size: PositiveInt = 64
    learning_rate: Rate = 1e-3
    classifier_samples: Annotated[PositiveInt, Field(le=10**7)] = 500
    classifier_steps: Count = 300
    classifier_learning_rate: Rate = 1e-3
    seeds: Seeds = (0, 1, 2)


class Evaluate(Section):
    """What is evaluated, and the gate."""

    task: Literal["gzsl", "zsl"] = "gzsl"
    temperature: Annotated[PositiveFloat, Field(ge=1e-3, le=1e3)] = 2.0
    regularisation: Annotated[PositiveFloat, Field(ge=1e-9, le=1e9)] = 2.0
    threshold: Annotated[float, Field(ge=0, lt=1, strict=True)] = 0.0
    transductive: Annotated[bool, Field(strict=True)] = False
    baselines: Annotated[tuple[AlignerName, ...], AfterValidator(distinct)] = ()

    @property
    def phases(self) -> tuple[str, ...]:
        """The phases that the task needs, in their order; the gate is fitted on validation."""
        return ("test",) if self.task == "zsl" else ("test", "val")


class Compute(Section):
    """Where and how parallel training and evaluation run."""

    device: Annotated[str, Field(pattern=DEVICE)] = "auto"
    portable: Flag = True
    threads: Few = 1
    jobs: Annotated[Natural, Field(le=2**16)] = 0
    scheduler: Annotated[str, Field(pattern=SCHEDULER)] = ""

    @model_validator(mode="after")
    def _addresses(self) -> Compute:
        if fault := find_scheduler_fault(self.scheduler):
            raise ValueError(f"compute.scheduler {fault}")
        return self
