"""Make a benchmark's features from recordings or a table: `python -m stages.backbone BENCHMARK`."""

from __future__ import annotations

import shutil
from pathlib import Path

from amsf.backbone.export import export_features
from amsf.base.artifacts import Artifacts
from amsf.base.display import say
from amsf.base.storage import atomic_path, write_json
from amsf.dataset.splits import Split
from amsf.settings.params import load_params
from stages import run


def main(key: str) -> None:
    """Write data/backbone/<benchmark>/: sk_feats/ and the extractors, or a note of none."""
    params, artifacts = load_params(), Artifacts(key)
    entry, settings = params.benchmark(key), params.for_benchmark(key)
    split = Split.load(artifacts.split)
    with atomic_path(artifacts.backbone) as out:
        if not entry.knows_all:
            write_json(out / "note.json", {"features": "published", "source": entry.source})
            say(f"{key}: published features of {entry.source} are used; no encoder is trained")
            return
        snapshots = artifacts.backbone_training
        source, kind = Path(entry.source), entry.features
        results = export_features(source, split, settings, out, snapshots, kind)
    if snapshots.exists():  # of the skeleton encoder
        shutil.rmtree(snapshots)
    for result in results:
        say(
            f"{key}: {result.phase} phase: trained on {result.trained} recordings; "
            f"{100 * result.accuracy:.1f} % of {result.tested} others of its classes are right"
        )


if __name__ == "__main__":
    run(main)
