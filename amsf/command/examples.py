"""Make the sample recording in ``data/examples``: ``python -m amsf.command.examples``.

It is simulated, as the demo is, but by other made-up people, so that no model has met it. Of its
three actions the demo's encoder has seen one; the second is among the demo's unseen classes, and
the third is in no class list: ``my_actions.csv``, beside it, describes it in words.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from amsf.base.artifacts import EXAMPLES
from amsf.demo.programs import PROGRAMS, Program
from amsf.demo.simulation import DATASET, LAYOUT, make_subjects, simulate_class
from amsf.pack.npz import write
from amsf.skeleton.recordings import UNKNOWN, Recording, SkeletonSet

SEED = 1  # the demo's people have seed 0
OF_THE_DEMO = ("clap the hands", "spread both arms to the sides")  # seen, unseen
BY_WORDS = Program("squat and clap", ("squat", "right hand claps", "left hand claps"))


def example_recordings() -> SkeletonSet:
    """One recording of each action, by a person each; their labels are not told."""
    programs = [p for label in OF_THE_DEMO for p in PROGRAMS if p.label == label]
    people = make_subjects(4, SEED)
    made: list[Recording] = []
    for number, program in enumerate([*programs, BY_WORDS]):
        rng = np.random.default_rng([SEED, 1, number])
        recording = simulate_class(UNKNOWN, program, people, 1, rng)[number]
        made.append(replace(recording, name=program.label.replace(" ", "_")))
    return SkeletonSet.from_recordings(made, layout=LAYOUT, dataset=DATASET, simulated=True)


def main() -> None:
    """Write ``data/examples/recording.npz``."""
    recordings = example_recordings()
    write(EXAMPLES / "recording.npz", recordings)
    print(f"{EXAMPLES / 'recording.npz'}: {', '.join(recordings.names)} (simulated)")


if __name__ == "__main__":
    main()
