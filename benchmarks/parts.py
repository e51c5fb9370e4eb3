"""Do parts of the body and of the time help? ``python -m benchmarks.parts DATA``.

Beside a closed form with the five views of the whole action stand the same one with the views of
parts too, and an aligner of parts: for each of these six one more closed form, from the features
of that part to the texts of its view. The mean of their cosines has a share in the answer, which
is fixed, or the best on left-out seen classes. Percent, ZSL over random class splits; DATA and the
training partition are those of docs/results.md.

N recordings · F feature width · S, U seen and unseen classes · V views · D text width.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import amsf.stage.pinned  # noqa: F401  (before anything loads NumPy or torch)

# isort: split
import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from amsf.backbone.extractors import EncoderExtractor, fit_extractor
from amsf.backbone.motion import FRAMES
from amsf.base.progress import track
from amsf.dataset.splits import random_split
from amsf.model.aligner import ClosedFormAligner, Config, build_aligner
from amsf.model.closed_form import left_out_groups, side_by_side
from amsf.settings.params import PART_VIEWS, WHOLE_VIEWS, Backbone, Model, Settings, Text, Train
from amsf.skeleton.partition import training_mask
from amsf.skeleton.recordings import SkeletonSet
from amsf.study.summary import as_text, mean_and_error
from amsf.text.descriptions import VIEWS, load_texts
from amsf.text.encode import encode_texts
from benchmarks.part_features import encoder_parts, motion_parts, people_of
from benchmarks.results import SMALLEST, prepare

SHARES = {f"{share:.0%} parts": share for share in (0.25, 0.5, 0.75, 1.0)}
ROWS = {"five": ("whole", WHOLE_VIEWS), "eleven": ("whole", VIEWS)}

Features = Mapping[str, Tensor]  # the whole, or a part -> (N, ·)


def cosines(kind: str, x: Tensor, y: Tensor, new: Tensor, seen: Tensor, unseen: Tensor) -> Tensor:
    """A closed form's cosines: (N, F), (N,), new (n, F), (S, V, D), (U, V, D) -> (n, U)."""
    settings = Settings(model=Model(aligner=kind, views=VIEWS[: seen.shape[1]]))  # type: ignore[arg-type]
    ids = tuple(range(len(seen) + len(unseen)))
    config = Config(
        settings.model, Train(), settings.switches(), seen.shape[2], x.shape[1], "test", 0,
        seen=ids[: len(seen)], unseen=ids[len(seen) :], cycle=0,
    )  # fmt: skip
    aligner = build_aligner(config)
    assert isinstance(aligner, ClosedFormAligner)
    aligner.fit(x, y, seen)
    return normalize(aligner.embed(new.float()), dim=1) @ aligner.embed_text(unseen.float()).T


def score(
    kind: str, features: Features, label: Tensor, train: Tensor, test: Tensor, text: Tensor,
    seen: Tensor, unseen: Tensor,
) -> dict[str, float]:  # fmt: skip
    """Accuracy on the unseen classes' test recordings, of each row and each share of the parts."""
    a, b = train & torch.isin(label, seen), test & torch.isin(label, unseen)

    def of(part: str, views: Sequence[str]) -> Tensor:
        x, t = features[part], text[:, [VIEWS.index(view) for view in views]]
        return cosines(kind, x[a], torch.searchsorted(seen, label[a]), x[b], t[seen], t[unseen])

    rows = ROWS | ({"encoder": ("encoder", WHOLE_VIEWS)} if "encoder" in features else {})
    found = {row: of(*what) for row, what in rows.items()}
    parts = torch.stack([of(view, [view]) for view in PART_VIEWS]).mean(0)
    found |= {name: (1 - share) * found["five"] + share * parts for name, share in SHARES.items()}
    truth = torch.searchsorted(unseen, label[b])
    return {row: 100 * float((c.argmax(1) == truth).double().mean()) for row, c in found.items()}


def one_split(
    kind: str, features: Features, label: Tensor, train: Tensor, text: Tensor,
    seen: Tensor, unseen: Tensor,
) -> dict[str, float]:  # fmt: skip
    """:func:`score`, and ``chosen``: with the share that is best on left-out seen classes.

    The latter of ``prototypes`` alone: ridge leaves classes out in every fit, twelve times here.
    """
    found = score(kind, features, label, train, ~train, text, seen, unseen)
    if kind == "ridge":
        return found
    left_out = [
        score(kind, features, label, train, train, text, seen[~torch.isin(seen, seen[g])], seen[g])
        for g in left_out_groups(side_by_side(text[seen]), len(unseen), 0)
    ]
    best = max(["five", *SHARES], key=lambda row: np.mean([each[row] for each in left_out]))
    return found | {"chosen": found[best]}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a line for each set, closed form and row."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.parts", description=__doc__)
    parser.add_argument("data", type=Path, help="the folder of the real sets")
    parser.add_argument("--scratch", type=Path, default=Path("data/training/results"))
    parser.add_argument("--features", choices=("motion", "backbone"), default="motion")
    parser.add_argument("--splits", type=int, default=40)
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    for dataset, count in SMALLEST:
        source = given.scratch / "recordings" / dataset
        prepare(dataset, given.data, source)
        recordings = SkeletonSet.load(source / "skeletons.safetensors")
        label = torch.from_numpy(recordings.label)
        train = torch.from_numpy(training_mask(recordings, "subject", source))
        encoded, _ = encode_texts(load_texts(dataset), Text(), dataset)
        text, rows = torch.from_numpy(encoded.select(VIEWS)).double(), []
        if given.features == "motion":
            features = motion_parts(people_of(recordings, FRAMES).own, recordings.layout)
        for number in track(range(given.splits), f"class splits of {dataset}"):
            split = random_split(dataset, len(text), count, number)
            seen, unseen = torch.tensor(split.seen), torch.tensor(split.unseen)
            if given.features == "backbone":
                learnt = np.flatnonzero(train & torch.isin(label, seen))
                made: Any = fit_extractor("backbone", recordings, learnt, split.seen, len(text),
                                     Backbone(), torch.device("cpu"))  # fmt: skip
                assert isinstance(made, EncoderExtractor)
                people = people_of(recordings, made.encoder.shape.frames)
                features = encoder_parts(made.encoder.eval(), people)
            for kind in ("ridge", "prototypes"):
                rows.append(
                    {"kind": kind, **one_split(kind, features, label, train, text, seen, unseen)}
                )
        report(dataset, given.features, rows)


def report(dataset: str, features: str, rows: list[dict[str, Any]]) -> None:
    """Print each row's mean and error, and its paired difference from the five views."""
    for kind in ("ridge", "prototypes"):
        own = [row for row in rows if row["kind"] == kind]
        for name in [name for name in own[0] if name != "kind"]:
            values = np.array([[row[name], row[name] - row["five"]] for row in own])
            mean, less = (dict(zip(("mean", "se"), mean_and_error(v))) for v in values.T)
            print(f"{dataset} {features} {kind:11}{name:12}{as_text(mean)}, {as_text(less, '+')}")


if __name__ == "__main__":
    main()
