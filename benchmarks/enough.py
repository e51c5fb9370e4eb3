"""How many classes, people and words are enough: ``python -m benchmarks.enough DATA``.

DATA has UTD-MHAD as docs/results.md says. Prints the table of docs/own_data.md: with motion
summaries and over random class splits, accuracy of ``prototypes`` among five unseen classes and of
the seen classes' classifier among these, where fewer seen classes, fewer people or fewer text views
train. Those who are tested are always the same.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import amsf.stage.pinned  # noqa: F401  (before anything loads NumPy or torch)

# ruff: isort: split
import numpy as np
import torch

from amsf.backbone.motion import motion_features
from amsf.backbone.seen_classifier import Scaling, SeenClassifier
from amsf.base.progress import track
from amsf.dataset.splits import random_split
from amsf.model.aligner import ClosedFormAligner, Config, build_aligner
from amsf.settings.params import Settings, Text, View
from amsf.skeleton.recordings import FILE_NAME, SkeletonSet
from amsf.study.summary import mean_and_error
from amsf.text.descriptions import load_texts
from amsf.text.encode import encode_texts
from benchmarks.results import prepare

DATASET, UNSEEN, SPLITS = "utd27", 5, 40
SEEN, PEOPLE, TAKES = 22, 4, 4  # as many as UTD-MHAD has to train on
VIEWS: tuple[View, ...] = ("lb", "MAad", "MAmd", "LLMad", "LLMmd")


@dataclass(frozen=True)
class Amount:
    """What there is to train on: seen classes, people, takes of each class by each, text views."""

    seen: int = SEEN
    people: int = PEOPLE
    takes: int = TAKES
    views: tuple[View, ...] = VIEWS

    def row(self, accuracies: list[tuple[float, float]]) -> str:
        """A row of the table, of (unseen, seen) on each split."""
        found = [mean_and_error(column) for column in 100 * np.array(accuracies).T]
        scores = [f"{mean:.1f} ± {error:.1f}" for mean, error in found]
        cells = (self.seen, self.people, self.takes, ", ".join(self.views), *scores)
        return f"| {' | '.join(map(str, cells))} |"


AMOUNTS = (
    Amount(),
    *(Amount(seen=seen) for seen in (16, 11, 8, 5)),
    *(Amount(people=people) for people in (2, 1)),
    Amount(people=1, takes=1),
    *(Amount(views=VIEWS[:count]) for count in (3, 2, 1)),
    Amount(seen=8, people=2, takes=2, views=VIEWS[:2]),
)


def accuracy(
    amount: Amount, seed: int, recordings: SkeletonSet, motion: np.ndarray, text: np.ndarray
) -> tuple[float, float]:
    """On one split: among the unseen classes, and among the seen ones; even people are tested."""
    split = random_split(DATASET, len(text), UNSEEN, seed)
    rng = np.random.default_rng(seed)
    split = replace(split, seen=tuple(np.sort(rng.permutation(split.seen)[: amount.seen])))
    odd = np.arange(1, 2 * PEOPLE, 2)
    people = rng.permutation(odd)[: amount.people]
    label, subject = recordings.label, recordings.subject
    train = np.concatenate([
        np.flatnonzero((label == c) & (subject == person))[: amount.takes]
        for c in split.seen
        for person in people
    ])  # fmt: skip
    new, known = (
        np.flatnonzero(np.isin(label, classes) & (subject % 2 == 0))
        for classes in (split.unseen, split.seen)
    )
    features = Scaling.fit(motion[train])(motion)
    views = list(amount.views)
    settings = Settings.model_validate({"model": {"aligner": "prototypes", "views": views}})
    chosen = torch.from_numpy(text[:, [VIEWS.index(view) for view in views]])
    config = Config.of(settings, split, "test", 0, text.shape[2], features.shape[1])
    aligner = build_aligner(config)
    assert isinstance(aligner, ClosedFormAligner)
    aligner.fit(torch.from_numpy(features[train]),
                torch.from_numpy(np.searchsorted(split.seen, label[train])),
                chosen[list(split.seen)])  # fmt: skip
    aligner.learn_classes(chosen[list(split.unseen)], torch.Generator(), again=False)
    answers = aligner.scores(torch.from_numpy(features[new])).argmax(1).numpy()
    classifier = SeenClassifier.fit(features[train], label[train], split.seen, split.classes)
    return (
        float((np.array(split.unseen)[answers] == label[new]).mean()),
        float((classifier.logits(features[known]).argmax(1) == label[known]).mean()),
    )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    with tempfile.TemporaryDirectory() as folder:
        prepare(DATASET, data, Path(folder))
        recordings = SkeletonSet.load(Path(folder) / FILE_NAME)
        motion = motion_features(recordings)
        texts, _ = encode_texts(load_texts(DATASET), Text(), DATASET)
        rows = [
            amount.row([
                accuracy(amount, seed, recordings, motion, texts.select(VIEWS))
                for seed in range(SPLITS)
            ])
            for amount in track(AMOUNTS, "amounts")
        ]  # fmt: skip
    print("| seen classes | people | takes | text views | ZSL | seen classes named |")
    print("|---|---|---|---|---|---|")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
