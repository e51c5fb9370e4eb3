"""The sample recording: ours, simulated, and of people whom the demo does not have."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from amsf.base.artifacts import EXAMPLES
from amsf.command.examples import BY_WORDS, OF_THE_DEMO, example_recordings
from amsf.dataset.classes import load_classes
from amsf.dataset.splits import listed_split
from amsf.dataset.worded import read_classes
from amsf.demo.simulation import make_subjects
from amsf.pack.formats import read_file

ROOT = Path(__file__).parents[2]


def test_the_committed_file_is_what_the_command_makes() -> None:
    made = example_recordings()
    layout, found = read_file(ROOT / EXAMPLES / "recording.npz")
    assert layout == made.layout
    assert [r.name for r in found] == made.names
    for number, recording in enumerate(found):
        # The digits of sine and cosine differ between processors.
        np.testing.assert_allclose(recording.joints, made[number], atol=1e-5)


def test_one_action_is_seen_one_unseen_and_one_described() -> None:
    labels = load_classes("demo", ROOT / "data/classes")["label"].tolist()
    unseen = listed_split(ROOT / "data/splits/demo-u8.yaml", "demo", len(labels), 8).unseen
    assert [labels.index(label) in unseen for label in OF_THE_DEMO] == [False, True]
    assert BY_WORDS.label not in labels
    described = [c.label for c in read_classes(ROOT / EXAMPLES / "my_actions.csv")]
    assert BY_WORDS.label in described
    assert not set(described) & set(labels)


def test_the_people_are_others_than_the_demos() -> None:
    assert not {p.tempo for p in make_subjects(4, 1)} & {p.tempo for p in make_subjects(12, 0)}
