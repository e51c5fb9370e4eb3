"""Which layer of the encoder tells unseen classes apart? ``python -m benchmarks.layers DATA``.

An encoder is trained a class split; each of its layers, pooled over time, is given to two closed
forms, alone and beside the motion summary. Percent, ZSL; DATA and the training partition are those
of docs/results.md. On UTKinect and Florence 3D the test partition's recordings of the unseen
classes are scored, on UTD-MHAD, which the choice must not see, the training subjects' ones of the
validation classes.

N recordings · T frames · J joints · W width · F feature width · C classes · V views · D text width.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import amsf.stage.pinned  # noqa: F401  (before anything loads NumPy or torch)

# isort: split
import numpy as np
import torch
from torch import Tensor, nn

from amsf.backbone.extractors import EncoderExtractor, fit_extractor
from amsf.backbone.motion import motion_features
from amsf.backbone.network import SkeletonEncoder
from amsf.backbone.preprocessing import Persons
from amsf.backbone.roles import assign_roles
from amsf.backbone.seen_classifier import Scaling
from amsf.base.progress import track
from amsf.settings.params import WHOLE_VIEWS, Backbone, Text
from amsf.skeleton.partition import training_mask
from amsf.skeleton.recordings import FILE_NAME, SkeletonSet
from amsf.study.class_split import draw_split
from amsf.study.summary import as_text, mean_and_error
from amsf.text.descriptions import load_texts
from amsf.text.encode import encode_texts
from benchmarks.part_features import people_of
from benchmarks.parts import cosines
from benchmarks.results import SMALLEST, prepare

# UTD-MHAD's test recordings must not have a say in what is chosen.
SCORED = {
    "utd27": ("val", "ztest"),
    "utkinect10": ("test", "gtest"),
    "florence9": ("test", "gtest"),
}
END = "end"  # what the encoder's logits are made of


@torch.no_grad()
def layers(encoder: SkeletonEncoder, people: Persons) -> dict[str, Tensor]:
    """Layers of the encoder, pooled over time: name -> (N, F).

    ``people`` has one person of each recording.
    """
    made: dict[str, Tensor] = {}

    def keep(name: str, module: nn.Module, given: object, found: Tensor) -> None:
        made[name] = found

    watched = {
        "input": encoder.input_norm,  # (N·T, 15·J)
        "graph 1": encoder.graph[0],  # (N, T, W, J)
        "graph 2": encoder.graph[1],
        "gather": encoder.gather,  # (N·T, W)
        **{f"temporal {k + 1}": block for k, block in enumerate(encoder.temporal)},  # (N, W, T)
    }
    hooks = [m.register_forward_hook(partial(keep, name)) for name, m in watched.items()]
    encoder(people, len(people.own))
    for hook in hooks:
        hook.remove()
    pooled = {}
    for name, x in made.items():
        if x.ndim == 2:
            x = x.unflatten(0, (len(people.own), -1))
        time = 2 if name.startswith("temporal") else 1
        mean = x.mean(time, keepdim=True)
        deviation = (x - mean).abs().mean(time).flatten(1)
        pooled[name] = torch.cat([mean.flatten(1), deviation], 1)
        pooled[f"{name}, deviation"] = deviation
    return {END: made["temporal 3"].mean(2), **pooled}


def score(
    kind: str, x: Tensor, label: Tensor, train: Tensor, scored: Tensor, text: Tensor,
    seen: Tensor, unseen: Tensor,
) -> float:  # fmt: skip
    """Accuracy in percent of a closed form among the unseen classes.

    Args:
        kind: the closed form.
        x, label: (N, F) and (N,).
        train, scored: rows to learn from, and those of the unseen classes.
        text: (C, V, D).
        seen, unseen: class ids, ascending.
    """
    learnt = torch.searchsorted(seen, label[train])
    found = cosines(kind, x[train], learnt, x[scored], text[seen], text[unseen]).argmax(1)
    return 100 * float((unseen[found] == label[scored]).double().mean())


def beside_motion(x: Tensor, motion: np.ndarray, train: np.ndarray) -> Tensor:
    """Both side by side, each standardised by the training rows: (N, F), (N, ·) -> (N, · + F)."""
    parts = (Scaling.fit(part[train])(part) for part in (x.numpy(), motion))
    return torch.from_numpy(np.concatenate(list(parts), axis=1))


def compared(
    recordings: SkeletonSet, people: Persons, motion: np.ndarray, train: np.ndarray,
    seen: Sequence[int], classes: int,
) -> dict[str, Tensor]:  # fmt: skip
    """All that is compared, of an encoder that is trained on the given rows: name -> (N, F)."""
    device = torch.device("cpu")
    made = fit_extractor("backbone", recordings, train, seen, classes, Backbone(), device)
    assert isinstance(made, EncoderExtractor)
    found = layers(made.encoder, people)
    both = {f"{n} + motion": beside_motion(found[n], motion, train) for n in (END, "gather")}
    return {**found, "motion": torch.from_numpy(motion), **both}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a line for each set, closed form and layer."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.layers", description=__doc__)
    parser.add_argument("data", type=Path, help="the folder of the real sets")
    parser.add_argument("--scratch", type=Path, default=Path("data/training/results"))
    parser.add_argument("--splits", type=int, default=12)
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    for dataset, count in SMALLEST:
        source, (phase, role) = given.scratch / "recordings" / dataset, SCORED[dataset]
        prepare(dataset, given.data, source)
        recordings = SkeletonSet.load(source / FILE_NAME)
        label = torch.from_numpy(recordings.label)
        training = training_mask(recordings, "subject", source)
        encoded, _ = encode_texts(load_texts(dataset), Text(), dataset)
        text, motion = torch.from_numpy(encoded.select(WHOLE_VIEWS)), motion_features(recordings)
        people = people_of(recordings, Backbone().frames)
        rows: dict[tuple[str, str], list[float]] = {}
        for number in track(range(given.splits), f"class splits of {dataset}"):
            split = draw_split(dataset, len(text), count, number)
            seen, unseen = (torch.tensor(ids) for ids in split.of_phase(phase))
            roles = assign_roles(recordings, training, split, Backbone().seed)[phase]
            train, scored = (torch.from_numpy(roles[name]) for name in ("train", role))
            scored = scored[torch.isin(label[scored], unseen)]
            found = compared(recordings, people, motion, roles["train"], seen.tolist(), len(text))
            for kind in ("ridge", "prototypes"):
                for name, x in found.items():
                    accuracy = score(kind, x, label, train, scored, text, seen, unseen)
                    rows.setdefault((kind, name), []).append(accuracy)
        for (kind, name), values in rows.items():
            cells = [
                as_text(dict(zip(("mean", "se"), mean_and_error(np.array(values) - base))), sign)
                for base, sign in ((0, ""), *((rows[kind, b], "+") for b in (END, "motion")))
            ]
            print(f"{dataset} {kind:11}{name:24}", end="")
            print(f"{cells[0]}, less {END} {cells[1]}, less motion {cells[2]}")


if __name__ == "__main__":
    main()
