"""Training of the skeleton encoder, and encoding of recordings with a trained one.

Training takes a fixed number of epochs over the given samples and looks at nothing else: no
sample of an unseen class or of the test enters the weights, the statistics or the stopping.

Axis letters: N samples, B samples of a batch, F features, C classes of the dataset.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from amsf.backbone.network import EncoderShape, SkeletonEncoder
from amsf.backbone.preprocessing import SkeletonSamples, augment, separate_persons
from amsf.base.errors import InputError
from amsf.base.progress import track
from amsf.base.storage import read_json, read_tensors, write_json, write_tensors
from amsf.machine.snapshots import Parts, code_digest, restore_snapshot, save_snapshot
from amsf.settings.params import Backbone
from amsf.stage.portable import kernels

_WEIGHT_DECAY = 5e-4
_WARM_UP = 0.15  # part of the steps, in which the learning rate rises
# Without it the logits saturate. On UTD-MHAD, as the mean of two seeds, it raised the accuracy on
# new people from 96.3 to 97.1 %, and the area under the curve of the largest probability as a
# sign of a seen class from 0.74 to 0.81.
_SMOOTHING = 0.1
_ENCODE_BATCH = 256
# Rooms that this module imports, itself included: an interrupted run goes on with equal code alone.
ROOMS = ("backbone", "base", "machine", "settings", "skeleton", "stage")
_CODE = code_digest(ROOMS)


def train_encoder(
    samples: SkeletonSamples,
    labels: np.ndarray,
    classes: Sequence[int],
    shape: EncoderShape,
    settings: Backbone,
    device: torch.device,
    name: str = "encoder",
    snapshots: Path | None = None,
) -> SkeletonEncoder:
    """Train an encoder on samples of some classes.

    The cross-entropy runs over the columns of ``classes`` alone; the others keep their start.
    AdamW under a one-cycle schedule (Smith and Topin, 2018), mixed precision on CUDA. The result
    depends on the arguments and on the number of threads alone.

    Args:
        samples: the N training samples.
        labels: (N,) global class ids, all in ``classes``.
        classes: the class ids to distinguish.
        shape: the network's shape, with its C.
        settings: the ``backbone`` section of the parameters.
        device: the device to compute on; the samples are moved there as a whole.
        name: what the progress lines call the encoder.
        snapshots: the folder to leave a snapshot in after each epoch, and to go on from one of the
            same training; None for none.
    """
    columns = torch.tensor(sorted(classes), device=device)
    local = np.searchsorted(np.sort(np.asarray(classes)), labels)
    targets = torch.from_numpy(local).to(device)
    samples = samples.to(device)
    order = torch.Generator().manual_seed(settings.seed)
    variation = torch.Generator(device).manual_seed(settings.seed)
    with torch.random.fork_rng():
        torch.manual_seed(settings.seed)
        encoder = SkeletonEncoder(shape).to(device)
        # fused: the other form takes square roots from MKL, which differ between processors.
        optimiser = torch.optim.AdamW(
            encoder.parameters(), settings.learning_rate, weight_decay=_WEIGHT_DECAY, fused=True
        )
        steps = settings.epochs * -(-len(samples) // settings.batch_size)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, settings.learning_rate, steps, pct_start=_WARM_UP
        )
        encoder.train()
        parts = Parts(
            {"encoder": encoder},
            {"order": order, "variation": variation, "weights": torch.default_generator},
            optimisers={"adamw": optimiser},
        )
        path, done = None, 0
        if snapshots is not None:
            path = snapshots / f"{_fingerprint(samples, targets, shape, settings)}.safetensors"
            note = restore_snapshot(path, parts)
            if note is not None:
                done = note["epochs"]
                schedule.load_state_dict(note["schedule"])
        epochs = range(done, settings.epochs)
        label = f"training the {name}, epochs"
        for epoch in track(epochs, label, settings.epochs, done):
            total = torch.zeros((), device=device)
            for rows in torch.randperm(len(samples), generator=order).split(settings.batch_size):
                rows = rows.to(device)
                people = separate_persons(samples[rows], encoder.layout)
                people = augment(people, encoder.layout, variation)
                with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
                    _, logits = encoder(people, len(rows))
                scores = logits.float()[:, columns]
                loss = cross_entropy(scores, targets[rows], label_smoothing=_SMOOTHING)
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                schedule.step()
                total += loss.detach()
            # Once an epoch: to look at each step would wait for the device each time.
            if not total.isfinite() or not all(p.isfinite().all() for p in encoder.parameters()):
                raise InputError(
                    f"the loss of the {name} is not finite in epoch {epoch + 1}; lower "
                    f"backbone.learning_rate (now {settings.learning_rate:g})"
                )
            if path is not None:
                note = {"epochs": epoch + 1, "schedule": schedule.state_dict()}
                save_snapshot(path, parts, note)
    return encoder.eval()


def _fingerprint(
    samples: SkeletonSamples, targets: Tensor, shape: EncoderShape, settings: Backbone
) -> str:
    """Names all that a training depends on: 16 hex digits."""
    where = f"{targets.device} {torch.get_num_threads()} {kernels()}"
    digest = hashlib.sha256(f"{_CODE} {shape} {settings} {where}".encode())
    for tensor in (*vars(samples).values(), targets):
        digest.update(memoryview(tensor.cpu().contiguous().numpy()).cast("B"))
    return digest.hexdigest()[:16]


@torch.no_grad()
def encode(
    encoder: SkeletonEncoder, samples: SkeletonSamples, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Features (N, F) and logits (N, C) of samples as they are, float32 on the CPU."""
    encoder.eval().to(device)
    features, logits = [], []
    for rows in torch.arange(len(samples)).split(_ENCODE_BATCH):
        people = separate_persons(samples[rows].to(device), encoder.layout)
        f, z = encoder(people, len(rows))
        features.append(f.float().cpu())
        logits.append(z.float().cpu())
    return torch.cat(features), torch.cat(logits)


def save_encoder(folder: Path, name: str, encoder: SkeletonEncoder, note: dict[str, Any]) -> None:
    """Write ``<name>.safetensors`` (weights and the input's statistics) and ``<name>.json``.

    Args:
        folder: an existing folder.
        name: the files' name, such as ``encoder_test``.
        encoder: the network.
        note: JSON values to keep beside its shape, such as what it was trained on.
    """
    state = {key: value.cpu().numpy() for key, value in encoder.state_dict().items()}
    write_tensors(folder / f"{name}.safetensors", state)
    write_json(folder / f"{name}.json", {"shape": asdict(encoder.shape), **note})


def load_encoder(folder: Path, name: str) -> tuple[SkeletonEncoder, dict[str, Any]]:
    """Build an encoder that :func:`save_encoder` wrote; returns it with its note.

    Raises:
        InputError: a file is missing or damaged, or the two do not fit each other.
    """
    note = read_json(folder / f"{name}.json")
    state = read_tensors(folder / f"{name}.safetensors")
    try:
        shape = EncoderShape(**note.pop("shape"))
        # Before memory is taken for a network of any size that the file may claim.
        if not 0 < shape.frames <= 1 << 16:
            raise ValueError(f"frames is {shape.frames}")
        with torch.device("meta"):
            expected = {
                key: tuple(t.shape) for key, t in SkeletonEncoder(shape).state_dict().items()
            }
        shapes = {key: value.shape for key, value in state.items()}
        wrong = sorted(key for key in {*expected, *shapes} if expected.get(key) != shapes.get(key))
        if wrong:
            raise ValueError(f"{wrong[0]} is {shapes.get(wrong[0])}; {expected.get(wrong[0])} fits")
        encoder = SkeletonEncoder(shape)
        encoder.load_state_dict({key: torch.from_numpy(value) for key, value in state.items()})
    except (KeyError, TypeError, AttributeError, ValueError, RuntimeError) as error:
        raise InputError(
            f"{folder / name}.json and .safetensors: not an encoder of this version ({error}); "
            "run the backbone stage again"
        ) from error
    return encoder.eval(), note
