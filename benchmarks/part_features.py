"""Features of parts of the body and of thirds of the time, from what the pipeline has.

N recordings · J joints · T frames · W width.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from amsf.backbone.motion import FRAMES, motion_names, motion_summary
from amsf.backbone.network import SkeletonEncoder
from amsf.backbone.preprocessing import Persons, prepare, separate_persons
from amsf.settings.params import PART_VIEWS
from amsf.skeleton.joints import PARTS, layout_of
from amsf.skeleton.recordings import SkeletonSet

BODY, THIRDS = PART_VIEWS[:3], PART_VIEWS[3:]
LIMBS = {"arms": ("elbow", "wrist", "hand"), "legs": ("_hip", "knee", "ankle", "foot")}


def part_of(joint: str) -> str:
    """The part of the body that a joint belongs to; shoulders and head go with the trunk."""
    return next((part for part, words in LIMBS.items() if any(w in joint for w in words)), "trunk")


def people_of(recordings: SkeletonSet, frames: int) -> Persons:
    """The persons of recordings of one person each, in their order."""
    layout = layout_of(recordings.layout)
    return separate_persons(prepare(recordings, range(len(recordings)), layout, frames), layout)


def motion_parts(joints: Tensor, layout: str) -> dict[str, Tensor]:
    """The motion summary of (N, 64, J, 3), its columns of each part, and those of each third."""
    summary = partial(motion_summary, layout=layout_of(layout))
    whole = summary(joints.numpy())
    owners = [{part_of(w) for w in name.split() if w in PARTS} for name in motion_names()]
    found = {"whole": whole} | {p: whole[:, [o == {p} for o in owners]] for p in BODY}
    step = (FRAMES - 1) // 3
    for k, third in enumerate(THIRDS):
        cut = joints[:, k * step : (k + 1) * step + 1].flatten(2).transpose(1, 2)
        slow = interpolate(cut, size=FRAMES, mode="linear", align_corners=True).transpose(1, 2)
        found[third] = summary(slow.unflatten(2, joints.shape[2:]).numpy())
    return {part: torch.from_numpy(x) for part, x in found.items()}


@torch.no_grad()
def encoder_parts(encoder: SkeletonEncoder, people: Persons) -> dict[str, Tensor]:
    """What the graph convolutions give, pooled: mean and deviation over time, joint by joint.

    Of a third the mean. ``encoder`` has the features that the pipeline uses.
    """
    x = encoder.channels(people)
    x = encoder.input_norm(x.flatten(2).flatten(0, 1)).view_as(x)
    h = encoder.graph(x.unflatten(1, (-1, 2)).permute(0, 1, 4, 2, 3).flatten(2, 3))  # (N, T, W, J)
    owners = np.array([part_of(joint) for joint in encoder.layout.joints])
    parts = {"whole": h} | {p: h[..., torch.from_numpy(owners == p)] for p in BODY}
    found = {p: torch.cat([y.mean(1), y.std(1)], 1).flatten(1) for p, y in parts.items()}
    at, edges = torch.arange(h.shape[1]), torch.linspace(0, h.shape[1], 4)
    for k, third in enumerate(THIRDS):  # a frame on an edge counts in part
        weight = (torch.minimum(at + 1, edges[k + 1]) - torch.maximum(at, edges[k])).clamp(min=0)
        found[third] = (h * (weight / weight.sum())[:, None, None]).sum(1).flatten(1)
    return found | {"encoder": encoder(people, len(h))[0]}
