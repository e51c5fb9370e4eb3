"""The skeleton encoder: graph convolutions over the joints, then temporal convolutions.

Each person is read in their own frame with the partner beside them, by the same weights; what is
found of a sample is the mean over persons, so that the order of two persons does not matter. The
features are mean and deviation over time of the layer that gathers the joints. The temporal
convolutions behind it, which the logits come from, forget what would tell apart classes that the
network is not trained on (docs/methods.md has the numbers).

The graph convolution is the spatial one of ST-GCN (Yan et al., AAAI 2018, equation 10) with an
adaptive part (2s-AGCN, Shi et al., CVPR 2019). Its products are of large matrices whose rows lie in
memory as they are: a convolution over such small maps spends a third of its time on reordering.

Axis letters: B samples of a batch, P present persons of a batch, T frames, J joints, K kinds of
neighbour in the graph, W width of the graph convolutions, H that behind them, F = 2·H features, C
classes of the dataset.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from amsf.backbone.preprocessing import Persons
from amsf.machine.linear import LinearMap, linear
from amsf.skeleton.joints import Layout, layout_of

# Position, velocity and the partner's position of a joint, and the root's own path and velocity.
_CHANNELS = 15
_KERNEL = 5
_FOLD = 2


@dataclass(frozen=True)
class EncoderShape:
    """What is needed to build the network again.

    Attributes:
        layout: a key of :data:`amsf.skeleton.joints.LAYOUTS`.
        classes: the number of classes, C.
        frames: the number of frames, T, that every recording is resampled to.
        graph_width: the width W of the graph convolutions.
        width: the number of channels H behind them.
        dropout: the share of these that is dropped in training.
    """

    layout: str
    classes: int
    frames: int = 64
    graph_width: int = 24
    width: int = 256
    dropout: float = 0.3

    @property
    def features(self) -> int:
        """F."""
        return 2 * self.width


def neighbourhoods(layout: Layout) -> Tensor:
    """(3, J, J): self, towards the root, away from it; each row sums to 1 or is empty."""
    joints = len(layout)
    inward = torch.zeros(joints, joints)
    for child, parent in layout.edges:
        inward[child, parent] = 1.0
    stack = torch.stack([torch.eye(joints), inward, inward.T])
    return stack / stack.sum(-1, keepdim=True).clamp(min=1.0)


class GraphConvolution(nn.Module):
    """(P, T, W_in, J) -> (P, T, W_out, J): each joint gathers its neighbours, each kind by
    its own weights.

    The graph's own edges are fixed; a learnt matrix that starts at zero adds others, such as
    between the two hands.
    """

    graph: Tensor

    def __init__(self, graph: Tensor, inputs: int, outputs: int) -> None:
        super().__init__()
        self.register_buffer("graph", graph, persistent=False)
        self.extra = nn.Parameter(torch.zeros_like(graph))
        self.project = LinearMap(inputs, outputs * len(graph), bias=False)
        self.norm = nn.BatchNorm1d(outputs)
        self.skip = nn.Identity() if inputs == outputs else LinearMap(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        adjacency = self.graph + self.extra  # (K, J, J)
        each = x.transpose(2, 3)  # (P, T, J, W_in)
        y = self.project(each).unflatten(3, (len(adjacency), -1))  # (P, T, J, K, W)
        y = y.permute(0, 1, 4, 3, 2).flatten(3)  # (P, T, W, K·J)
        y = linear(y, adjacency.transpose(0, 1).flatten(1))
        y = self.norm(y.flatten(0, 1)).unflatten(0, y.shape[:2])
        return torch.relu(y + self.skip(each).transpose(2, 3))


class TemporalBlock(nn.Module):
    """(P, W_in, T) -> (P, W_out, T / stride), residual."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.convolve = nn.Conv1d(inputs, outputs, _KERNEL, stride, _KERNEL // 2, bias=False)
        self.norm = nn.BatchNorm1d(outputs)
        self.skip: nn.Module = nn.Identity()
        if inputs != outputs or stride != 1:
            self.skip = nn.Conv1d(inputs, outputs, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.norm(self.convolve(x)) + self.skip(x))


class SkeletonEncoder(nn.Module):
    """Encode the persons of a batch: features (B, F) and logits (B, C)."""

    def __init__(self, shape: EncoderShape) -> None:
        super().__init__()
        self.shape = shape
        self.layout = layout_of(shape.layout)
        graph, joints = neighbourhoods(self.layout), len(self.layout)
        self.input_norm = nn.BatchNorm1d(_CHANNELS * joints)
        self.graph = nn.Sequential(
            GraphConvolution(graph, _FOLD * _CHANNELS, shape.graph_width),
            GraphConvolution(graph, shape.graph_width, shape.graph_width),
        )
        self.gather = nn.Sequential(
            LinearMap(shape.graph_width * joints, shape.width, bias=False),
            nn.BatchNorm1d(shape.width),
            nn.ReLU(),
        )
        self.temporal = nn.Sequential(
            TemporalBlock(shape.width, shape.width, 2),
            TemporalBlock(shape.width, shape.width, 2),
            TemporalBlock(shape.width, shape.width, 1),
        )
        self.dropout = nn.Dropout(shape.dropout)
        self.classify = nn.Linear(shape.width, shape.classes)

    def forward(self, people: Persons, batch: int) -> tuple[Tensor, Tensor]:
        """Encode a batch.

        Args:
            people: the present persons of the batch, P.
            batch: the number of samples, B.

        Returns:
            Features (B, F), not negative, through which no gradient flows, and logits (B, C).
        """
        x = self.channels(people)  # (P, T, J, 15)
        x = self.input_norm(x.flatten(2).flatten(0, 1)).view_as(x)
        # Neighbouring frames become channels: all they hold is kept, at half the cost.
        x = x.unflatten(1, (-1, _FOLD)).permute(0, 1, 4, 2, 3).flatten(2, 3)  # (P, T / 2, 30, J)
        x = self.graph(x).flatten(2)  # (P, T / 2, W·J)
        rows = self.gather(x.flatten(0, 1))
        gathered = rows.unflatten(0, x.shape[:2])  # (P, T / 2, H)
        features = _mean_of_persons(_over_time(gathered.detach()), people, batch)
        x = self.temporal(gathered.transpose(1, 2)).mean(2)
        summary = _mean_of_persons(x, people, batch)  # (B, H)
        return features, self.classify(self.dropout(summary))

    def channels(self, people: Persons) -> Tensor:
        """(P, T, J, 15) numbers of a joint in a frame."""
        root = people.own[:, :, self.layout.root, None]  # (P, T, 1, 3)
        own = people.own - root
        partner = (people.partner - root) * people.paired[:, None, None, None]
        path = torch.cat([root, _velocity(root)], -1).expand(*own.shape[:3], 6)
        return torch.cat([own, _velocity(own), partner, path], -1)


def keep_classes(encoder: SkeletonEncoder, classes: int) -> SkeletonEncoder:
    """The same encoder, whose logits are those of the first classes alone."""
    shape = replace(encoder.shape, classes=classes)
    if shape == encoder.shape:
        return encoder
    state = encoder.state_dict()
    state |= {name: t[:classes] for name, t in state.items() if name.startswith("classify.")}
    kept = SkeletonEncoder(shape).to(encoder.classify.weight.device)
    kept.load_state_dict(state)
    return kept.train(encoder.training)


def _over_time(x: Tensor) -> Tensor:
    """Mean and mean absolute deviation over time: (P, T, H) -> (P, 2·H).

    The standard deviation names unseen classes as often, but torch's takes 15 times as long, and
    square roots differ between processors.
    """
    mean = x.mean(1)
    return torch.cat([mean, (x - mean[:, None]).abs().mean(1)], 1)


def _mean_of_persons(x: Tensor, people: Persons, batch: int) -> Tensor:
    """Means of (P, ·) over the present persons of each sample: (B, ·)."""
    # Each person has a slot: sums into a shared one are not deterministic on CUDA.
    slots = x.new_zeros(batch, 2, x.shape[1])
    slots[people.sample, people.person] = x
    persons = torch.zeros(batch, 2, device=x.device)
    persons[people.sample, people.person] = 1.0
    return slots.sum(1) / persons.sum(1, keepdim=True).clamp(min=1.0)


def _velocity(x: Tensor) -> Tensor:
    """Change of (P, T, J, 3) from frame to frame, 0 in the first.

    Frames are parts of the recording's length: divided by true time, people's own tempo would
    show, and on UTD-MHAD new people were recognised less often (by 3 percentage points).
    """
    return torch.diff(x, dim=1, prepend=x[:, :1])
