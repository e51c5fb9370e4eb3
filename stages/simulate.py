"""Make the simulated demo recordings: ``python -m stages.simulate``."""

from __future__ import annotations

from amsf.base.artifacts import SIMULATED
from amsf.base.display import say
from amsf.demo.simulation import simulate
from amsf.skeleton.recordings import FILE_NAME
from stages import run

OUTPUT = SIMULATED / FILE_NAME


def main() -> None:
    """Write ``data/simulated/demo/skeletons.safetensors``."""
    recordings = simulate()
    recordings.save(OUTPUT)
    classes, subjects = len(set(recordings.label)), len(set(recordings.subject))
    say(
        f"{OUTPUT}: {len(recordings)} simulated recordings of {classes} classes by {subjects} "
        "made-up subjects"
    )


if __name__ == "__main__":
    run(main)
