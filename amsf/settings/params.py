"""The parameters of the pipeline: ``params.yaml`` read into validated, frozen settings.

``params.yaml`` documents each parameter; this module holds its type, its range and the checks that
cross sections. Nothing here imports torch, so that a typo is reported before anything long starts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    model_validator,
)
from pydantic_core import PydanticCustomError

from amsf.base.errors import InputError
from amsf.base.yaml import read_yaml
from amsf.settings.addresses import find_address_fault, find_scheduler_fault
from amsf.settings.aligners import ALIGNERS
from amsf.settings.findings import DEVICE, FORMS, NAME, SCHEDULER, nearest, validate
from amsf.settings.fusion import find_fault
from amsf.settings.protocol import AUTO, PROTOCOLS, Flag, Protocol, Section, Switches

PARAMS = Path("params.yaml")
SectionT = TypeVar("SectionT", bound=BaseModel)

WholeView = Literal["lb", "MAad", "MAmd", "LLMad", "LLMmd"]
PartView = Literal["arms", "legs", "trunk", "start", "middle", "end"]
View = Literal[WholeView, PartView]
WHOLE_VIEWS: tuple[WholeView, ...] = get_args(WholeView)  # of the whole action
PART_VIEWS: tuple[PartView, ...] = get_args(PartView)  # of parts of the body and thirds of the time
Fusion = Literal[
    "MHA", "Former", "MLP", "Linear", "Conv", "MSCA", "SA", "Concat", "Add", "Weighted_Add"
]
Kind = Literal["listed", "random", "easy", "hard"]

# strict: true would otherwise count as 1, and "4" as a number. A whole number still is a float.
# What grows with a number is bounded far above all use, so that a typo is reported before it takes
# the machine's memory or runs for ever; batches are cut to the samples there are.
PositiveInt = Annotated[int, Field(ge=1, le=2**62, strict=True)]
Count = Annotated[int, Field(ge=1, le=10**9, strict=True)]
Few = Annotated[int, Field(ge=1, le=1024, strict=True)]
Width = Annotated[int, Field(ge=1, le=2**15, strict=True)]
Natural = Annotated[int, Field(ge=0, strict=True)]
TorchSeed = Annotated[int, Field(ge=0, lt=2**63, strict=True)]
PositiveFloat = Annotated[float, Field(gt=0, strict=True)]
Rate = Annotated[float, Field(gt=0, le=100, strict=True)]


def _distinct(values: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(set(values)) < len(values):
        raise PydanticCustomError("repeated", "expected each once; it has a repeated entry")
    return values


Views = Annotated[tuple[View, ...], Field(min_length=1), AfterValidator(_distinct)]
Datasets = Annotated[
    tuple[Annotated[str, Field(pattern=NAME)], ...],
    AfterValidator(_distinct),
    AfterValidator(lambda names: tuple(sorted(names))),  # their order means nothing
]
Seeds = Annotated[tuple[Natural, ...], Field(min_length=1), AfterValidator(_distinct)]


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
    baselines: Annotated[tuple[AlignerName, ...], AfterValidator(_distinct)] = ()

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


class Settings(Section):
    """All sections with the values that hold for one benchmark."""

    describe: Describe = Describe()
    text: Text = Text()
    split: SplitParams = SplitParams()
    backbone: Backbone = Backbone()
    model: Model = Model()
    protocol: Protocol = Protocol()
    train: Train = Train()
    evaluate: Evaluate = Evaluate()
    compute: Compute = Compute()

    @model_validator(mode="after")
    def _fusion_fits(self) -> Settings:
        if not self.model.fused:
            return self
        width = TEXT_WIDTHS.get(self.text.encoder)
        whose = f"text.encoder {self.text.encoder}"
        if fault := find_fault(self.model, len(self.model.views), width, whose):
            raise ValueError(fault)
        return self

    @model_validator(mode="after")
    def _protocol_allows(self) -> Settings:
        switches = self.switches()
        if self.model.fused and self.model.fusion == "SA" and self.protocol.name != "reference":
            raise ValueError(
                "model.fusion is SA, which attends across the batch, so that a class's prototype "
                "depends on which others are there; it needs protocol.name: reference"
            )
        if switches.selection == "test" and self.protocol.name != "reference":
            raise ValueError(
                "protocol.selection is test, which picks the cycle by the test samples; it needs "
                "protocol.name: reference; use val or last"
            )
        if switches.selection == "val" and self.evaluate.task == "zsl":
            raise ValueError(
                "protocol.selection is val, but evaluate.task is zsl, which has no validation "
                "phase; set protocol.selection: last"
            )
        return self

    @property
    def text_views(self) -> tuple[View, ...]:
        """The views whose texts are gathered and encoded, where there are any.

        Those of the whole action, and of the others those that a section names.
        """
        named = {*WHOLE_VIEWS, *self.model.views, *self.split.views}
        return tuple(view for view in get_args(View) if view in named)

    def switches(self) -> Switches:
        """Fill in every switch of the protocol: the value that is set, else what the name says."""
        own = {k: v for k, v in self.protocol.model_dump().items() if v is not None}
        if self.model.aligner == AUTO and self.protocol.name == "clean":
            own = {"gate": AUTO, **own}
        return Switches(**{**PROTOCOLS[self.protocol.name], **own})


class Params(Settings):
    """All of ``params.yaml``."""

    benchmarks: dict[str, Benchmark]

    def for_benchmark(self, key: str) -> Settings:
        """The settings of one benchmark: the global sections with its ``set`` laid over them.

        Raises:
            InputError: no such benchmark, or its ``set`` holds an unknown or bad value.
        """
        entry = self.benchmark(key)
        sections = self.model_dump(exclude={"benchmarks"})
        if "portable" in entry.set.get("compute", {}):
            raise InputError(
                f"benchmarks.{key}.set.compute.portable: it holds for whole processes, so for all "
                "benchmarks; set compute.portable at the top of params.yaml"
            )
        for name, values in entry.set.items():
            if name not in sections:
                raise InputError(
                    f"benchmarks.{key}.set.{name}: no such section{nearest(name, list(sections))}"
                )
            sections[name] = {**sections[name], **deepcopy(values)}
        settings = validate(Settings, sections, f"benchmarks.{key}.set")
        if entry.also and settings.text.encoder == "published":
            raise InputError(
                f"benchmarks.{key}.also is set, but text.encoder is published: the texts of all "
                "datasets must come from one encoder; choose one that runs here"
            )
        return settings

    def benchmark(self, key: str) -> Benchmark:
        """The entry of one benchmark.

        Raises:
            InputError: no benchmark has that name.
        """
        if key not in self.benchmarks:
            raise InputError(
                f"benchmark '{key}' is not switched on; params.yaml has "
                f"{', '.join(self.benchmarks) or 'none'}{nearest(key, list(self.benchmarks))}"
            )
        return self.benchmarks[key]


def load_params(path: Path = PARAMS) -> Params:
    """Read and validate the parameters, with every benchmark's overrides.

    Raises:
        InputError: the file is missing or not YAML, or a name, type, range or combination is
            wrong; the message lists all mistakes, each with the nearest valid name.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; run from the repository's top folder")
    raw = read_yaml(path)
    if not isinstance(raw, dict):
        content = "nothing" if raw is None else f"a {type(raw).__name__}"
        raise InputError(
            f"{path}: it holds {content}; expected a mapping of sections, as in the "
            "repository's file"
        )
    return parse_params(raw, str(path))


def parse_params(raw: Mapping[str, Any], where: str) -> Params:
    """Validate parameters as :func:`load_params` does; ``where`` names them in messages."""
    params = validate(Params, dict(raw), where)
    for key in params.benchmarks:
        if not re.fullmatch(NAME, key):
            message = f"{where}: benchmark name '{key}'; expected {FORMS[NAME]}: rename it"
            raise InputError(message)
        try:
            params.for_benchmark(key)
        except InputError as error:
            raise InputError(f"{where}: {error}") from error
    return params
