"""Score methods on many class splits: ``python -m stages.many_splits BENCHMARK``."""

from __future__ import annotations

import shutil

from amsf.base.artifacts import Artifacts
from amsf.base.storage import write_json
from amsf.settings.params import load_params
from amsf.study.run import study
from amsf.text.features import load_text_features
from stages import run


def main(key: str) -> None:
    """Write data/many_splits/<benchmark>/, or a note that the benchmark asks for none."""
    params, artifacts = load_params(), Artifacts(key)
    entry, settings = params.benchmark(key), params.for_benchmark(key)
    out, scratch = artifacts.many_splits, artifacts.splits_scratch
    if not entry.splits:
        write_json(out / "summary.json", {})
        print(f"{key}: asks for no other class splits (`splits` in its line of params.yaml)")
        return
    text = load_text_features(artifacts.text_features).select(settings.model.views)
    for method, scores in study(key, entry, settings, text, out, scratch).items():
        shown = ", ".join(
            f"{name} {scores[name]['mean']:.1f} ± {scores[name].get('se', 0):.1f}"
            for name in ("zsl", "H")
            if name in scores
        )
        print(f"{key}, {entry.splits} splits, {method}: {shown}")
    shutil.rmtree(scratch)


if __name__ == "__main__":
    run(main)
