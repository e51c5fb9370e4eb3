"""How far probabilities and "none of these" can be trusted, on real sets over many class splits.

    python -m benchmarks.confidence DATA [--write]

prints two tables, or puts them into docs/predict.md. DATA, splits, features (``motion``) and
people are those of ``benchmarks.results``: the temperature and the calibration scores see training
recordings alone, the tables are of the test subjects' recordings.
"""

from __future__ import annotations

import argparse
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import amsf.stage.pinned  # noqa: F401  (before anything loads NumPy or torch)

# ruff: isort: split
import numpy as np

from amsf.backbone.joined import load_recorded, motion_of
from amsf.base.artifacts import phase_file, seed_folder
from amsf.base.progress import track
from amsf.base.storage import write_text
from amsf.dataset.classes import class_count
from amsf.dataset.splits import Split
from amsf.evaluation.baselines import fit_closed_form
from amsf.evaluation.confidence.measured import FALSE_ALARMS, measure
from amsf.evaluation.confidence.reliability import error_of_chance, reliability_curve
from amsf.evaluation.confidence.temperature import temper
from amsf.evaluation.evaluate import load_seed, temperature_of
from amsf.evaluation.evidence import probabilities_of
from amsf.features.phases import PhaseFeatures, load_phase
from amsf.model.aligner import Aligner
from amsf.settings.params import Settings
from amsf.study.class_split import Source, draw_split, export_phases
from amsf.text.descriptions import load_texts
from amsf.text.encode import encode_texts
from amsf.training.runs import Inputs, train_benchmark
from benchmarks.results import NAMES, SETS, Table, prepare, settings_of

PAGE = Path("docs/predict.md")
MARKS = "<!-- tables: begin -->\n", "<!-- tables: end -->"
UNSEEN = dict(zip(SETS, (5, 3, 3), strict=True))
CLOSED = ("ridge", "prototypes", "eszsl", "conse")

# Confidence and whether the answer is right, of the samples of one split.
Answers = tuple[np.ndarray, np.ndarray]


class Splits:
    """The class splits of a set, with both phases' features."""

    def __init__(self, dataset: str, data: Path, scratch: Path) -> None:
        folder = scratch / "recordings" / dataset
        prepare(dataset, data, folder)
        self.settings = settings_of(Table(dataset, UNSEEN[dataset], "motion", "ridge", (), 1))
        features, _ = encode_texts(load_texts(dataset), self.settings.text, dataset)
        self.text = features.select(self.settings.model.views)
        motion = motion_of("motion", load_recorded(folder, dataset, "motion"))
        made = scratch / "confidence" / dataset
        self.source = Source(folder, "motion", {dataset: motion}, self.text, made / "encoders")
        self.dataset, self.made = dataset, made

    def draw(self, count: int) -> Iterator[tuple[int, Split, PhaseFeatures, PhaseFeatures]]:
        """Number, classes, test and validation phase of the first ``count`` splits."""
        for number in track(range(count), f"class splits of {self.dataset}"):
            split = draw_split(self.dataset, len(self.text), UNSEEN[self.dataset], number)
            folder = self.made / f"split{number}"
            export_phases(split, self.source, self.settings, folder)
            test, val = (load_phase(phase_file(folder, phase)) for phase in ("test", "val"))
            yield number, split, test, val


def answers(splits: Splits, method: str, count: int) -> tuple[list[Answers], list[Answers]]:
    """Of each split, before and after calibration."""
    before: list[Answers] = []
    after: list[Answers] = []
    for number, split, test, val in splits.draw(count):
        if method == "vae":
            model, val_model = _trained(splits, number, split)
        else:
            model, val_model = (
                fit_closed_form(method, splits.settings, split, phase, features, splits.text)
                for phase, features in (("test", test), ("val", val))
            )
        raw = probabilities_of(model, test.zsl)
        labels = np.searchsorted(split.unseen, test.zsl.labels.numpy())
        for found, temperature in ((before, 1.0), (after, temperature_of(val_model, val))):
            probabilities = temper(raw, temperature)
            found.append((probabilities.max(1), probabilities.argmax(1) == labels))
    return before, after


def _trained(splits: Splits, number: int, split: Split) -> tuple[Aligner, Aligner]:
    """AMSF's models of both phases, trained where they are not there yet."""
    settings: Settings = splits.settings.model_copy(
        update={"model": splits.settings.model.model_copy(update={"aligner": "vae"})}
    )
    folder = splits.made / f"vae{number}"
    inputs = Inputs(settings, split, splits.text, splits.made / f"split{number}")
    train_benchmark(inputs, folder / "models", folder / "runs")
    model, val_model = load_seed(seed_folder(folder / "models", 0), validated=True)
    assert val_model is not None
    return model, val_model


def calibration_row(before: Sequence[Answers], after: Sequence[Answers]) -> list[str]:
    """Accuracy, mean confidence, and errors, in percent."""
    pooled, tempered = (
        tuple(np.concatenate(part) for part in zip(*found)) for found in (before, after)
    )
    numbers = [
        tempered[1].mean(),
        tempered[0].mean(),
        reliability_curve(*pooled).error,
        reliability_curve(*tempered).error,
        reliability_curve(*tempered, equal_mass=True).error,
        error_of_chance(tempered[0]),
        np.mean([reliability_curve(*one).error for one in before]),
        np.mean([reliability_curve(*one).error for one in after]),
        np.mean([error_of_chance(confidence) for confidence, _ in after]),
    ]
    return [f"{100 * number:.1f}" for number in numbers]


def tables(data: Path, scratch: Path, count: int, trained: int) -> str:
    """Both tables as Markdown."""
    header: tuple[str, ...] = (
        "set", "method", "splits", "accuracy", "confidence", "ECE before", "**ECE after**",
        "equal mass", "if calibrated", "a split's own: before", "after", "if calibrated",
    )  # fmt: skip
    first = [f"| {' | '.join(header)} |", "|---" * len(header) + "|"]
    header = ("set", "splits", "named", "**false alarms**", "seen", "unseen", "found")
    second = [f"| {' | '.join(header)} |", "|---" * len(header) + "|"]
    for dataset in SETS:
        splits = Splits(dataset, data, scratch)
        name = f"{SETS[dataset][2]}, {class_count(dataset) - UNSEEN[dataset]}/{UNSEEN[dataset]}"
        for method in (*CLOSED, "vae"):
            used = trained if method == "vae" else count
            if used:
                cells = calibration_row(*answers(splits, method, used))
                first.append(f"| {name} | {NAMES[method]} | {used} | {' | '.join(cells)} |")
        found = np.array(
            [
                [(r.false_alarms, r.seen, r.unseen, r.found) for r in measured.refusals]
                for measured in (
                    measure(test, val, splits.text, split, splits.settings)
                    for _, split, test, val in splits.draw(count)
                )
            ]
        ).mean(0)
        for rate, row in zip(FALSE_ALARMS, found):
            cells = [f"{100 * number:.1f}" for number in row]
            second.append(f"| {name} | {count} | {100 * rate:g} | {' | '.join(cells)} |")
    return "\n".join([*first, "", *second]) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables, or write them into the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.confidence", description=__doc__)
    parser.add_argument("data", type=Path, help="the folder of the real sets")
    parser.add_argument("--scratch", type=Path, default=Path("data/training/results"))
    parser.add_argument("--splits", type=int, default=40, help="class splits")
    parser.add_argument(
        "--trained-splits", type=int, default=12, help="class splits of AMSF; 0: none"
    )
    parser.add_argument("--write", action="store_true", help=f"put them into {PAGE}")
    given = parser.parse_args(arguments)
    text = tables(given.data, given.scratch, given.splits, given.trained_splits)
    shutil.rmtree(given.scratch / "confidence")
    if given.write:
        begin, end = MARKS
        old = PAGE.read_text(encoding="utf-8")
        new, count = re.subn(f"{begin}.*{end}", f"{begin}{text}{end}", old, flags=re.DOTALL)
        assert count == 1, f"{PAGE} has lost its marks"
        write_text(PAGE, new)
    else:
        print(text)


if __name__ == "__main__":
    main()
