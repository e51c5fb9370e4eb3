"""What each fusion module allows of its parameters; the modules are in `amsf.model.fusion`.

V = text views · D = width of a text vector. The limits are here, without torch, so that they
are checked before any stage runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amsf.settings.params import Model

MOST_HEADS = 32  # that a message offers


def fixed_ratio(fusion: str, views: int) -> int | None:
    """The prototype's width in units of D, where the module has no choice; else None."""
    return {"Concat": views, "MSCA": views, "Add": 1, "Weighted_Add": 1, "Conv": 1}.get(fusion)


def find_fault(model: Model, views: int, width: int | None, whose: str = "a text") -> str | None:
    """Say why the fusion module cannot be built, or return None if it can.

    Args:
        model: the ``model`` section of the parameters.
        views: the number of text views, V.
        width: the width of a text vector, D; None where it is not known yet.
        whose: what has that width, for the message.
    """
    if width and model.fusion in ("MHA", "Former") and width % model.heads:
        fits = [n for n in range(1, MOST_HEADS + 1) if width % n == 0]
        return (
            f"model.heads is {model.heads}, which does not divide {width}, the width of {whose}; "
            f"{model.fusion} takes one of {', '.join(map(str, fits))}"
        )
    if model.fusion == "MSCA" and views < model.reduction:
        return (
            f"model.reduction is {model.reduction}, but model.views has {views}; MSCA squeezes "
            f"views to views/reduction channels: set it to {views} or less, or add views"
        )
    own = fixed_ratio(model.fusion, views)
    if model.ratio is not None and own is not None and model.ratio != own:
        return (
            f"model.ratio is {model.ratio}, but {model.fusion} of {views} views gives a "
            f"prototype {own} times as wide as a text; leave model.ratio null"
        )
    return None
