"""The kinds of values that parameters have: text views, names, and numbers within bounds."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from amsf.settings.findings import NAME

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


def distinct(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Refuse a list that has an entry twice, for pydantic."""
    if len(set(values)) < len(values):
        raise PydanticCustomError("repeated", "expected each once; it has a repeated entry")
    return values


Views = Annotated[tuple[View, ...], Field(min_length=1), AfterValidator(distinct)]
Datasets = Annotated[
    tuple[Annotated[str, Field(pattern=NAME)], ...],
    AfterValidator(distinct),
    AfterValidator(lambda names: tuple(sorted(names))),  # their order means nothing
]
Seeds = Annotated[tuple[Natural, ...], Field(min_length=1), AfterValidator(distinct)]
