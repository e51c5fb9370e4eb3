"""Import and check a benchmark's skeleton features: ``python -m stages.features BENCHMARK``."""

from __future__ import annotations

import sys
from pathlib import Path

from amsf.base.artifacts import Artifacts, phase_file
from amsf.base.display import say
from amsf.base.errors import first_ten
from amsf.base.storage import atomic_path, write_json
from amsf.dataset.others import describe_other
from amsf.dataset.splits import Split
from amsf.features.agreement import report_agreement, report_probabilities
from amsf.features.checks import report_overlap, report_training_overlap, report_zero_rows
from amsf.features.phases import (
    describe_phase,
    find_folder,
    import_phase,
    recording_names,
    save_phase,
    source_checksums,
)
from amsf.settings.params import load_params
from stages import run


def main(key: str) -> None:
    """Write data/features/<benchmark>/{test,val}.safetensors and manifest.json."""
    params, artifacts = load_params(), Artifacts(key)
    entry, evaluate = params.benchmark(key), params.for_benchmark(key).evaluate
    split = Split.load(artifacts.split)
    source = artifacts.backbone if entry.knows_all else Path(entry.source)
    gated = evaluate.task == "gzsl"
    folders = {p: find_folder(source, split, p) for p in evaluate.phases}
    phases = {p: import_phase(folder, split, p, gated=gated) for p, folder in folders.items()}
    findings = [line for p, sets in phases.items() for line in report_zero_rows(sets, p)]
    findings += [line for p, sets in phases.items() for line in report_training_overlap(sets, p)]
    findings += [line for p, sets in phases.items() for line in report_probabilities(sets, p)]
    findings += [line for p, sets in phases.items() for line in report_agreement(sets, p)]
    if gated:
        findings += report_overlap(phases["test"], phases["val"], recording_names(folders))
    if entry.features == "table":
        findings.append(
            "the features are those of an encoder outside this pipeline; that it has never seen "
            "an unseen class is not checked here"
        )
    for other in split.also:
        if other.kept and (same := sorted({c for c, own in other.alike if own in split.unseen})):
            findings.append(
                f"classes {first_ten(same)} of {other.dataset} mean the same as an unseen class "
                "and train (split.same_meaning: keep), so the result is not zero-shot for it"
            )
    manifest = {
        "also": {other.dataset: describe_other(split, other) for other in split.also},
        "dataset": split.dataset,
        "features": entry.features,
        "findings": findings,
        "phases": {p: describe_phase(sets) for p, sets in phases.items()},
        "sources": {p: source_checksums(f, p, gated=gated) for p, f in folders.items()},
    }
    with atomic_path(artifacts.features) as out:
        for phase, sets in phases.items():
            save_phase(phase_file(out, phase), sets)
        write_json(out / "manifest.json", manifest)
    for line in findings:
        say(f"warning: {key}: {line}", sys.stderr)
    say(f"{key}: features of {' and '.join(map(str, folders.values()))}")


if __name__ == "__main__":
    run(main)
