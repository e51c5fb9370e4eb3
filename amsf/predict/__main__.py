"""Recognise actions in recordings with a trained benchmark.

    amsf predict RECORDING... --benchmark demo-u8 [--classes my_actions.csv] [--page answers.html]

reads what ``dvc repro`` left in the project's folder; see docs/predict.md. In Python it is
:class:`Predictor`.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from amsf.base.command import command
from amsf.base.display import escaped, say
from amsf.base.errors import InputError, counted, first_ten
from amsf.base.project import add_project, inside_project
from amsf.base.storage import check_writable, write_text
from amsf.dataset.worded import read_classes
from amsf.machine.device import set_up
from amsf.pack.base import LeftOut
from amsf.pack.stated import add_options, take_options
from amsf.predict.animation import Scene, write_gif
from amsf.predict.batch import Batch, Found, chosen, failures_as_lines
from amsf.predict.listing import (
    Answers,
    as_csv,
    as_lines,
    reasons_as_json,
    reasons_of,
    side_of,
)
from amsf.predict.page import build_page
from amsf.predict.prediction import NONE, ClassScore, Prediction
from amsf.predict.predictor import Predictor
from amsf.predict.reading import read_all
from amsf.settings.params import load_params
from amsf.skeleton.joints import layout_of
from amsf.skeleton.recordings import Recording

__all__ = ["ClassScore", "Prediction", "Predictor", "main"]

TABLE_ROWS = 5
IN_FULL = 10  # recordings; of more each gets a line
# Option -> the endings of the file that it writes, and what that is.
_WRITTEN = {
    "csv": ((".csv",), "CSV files"),
    "page": ((".html", ".htm"), "HTML files"),
    "gif": ((".gif",), "GIF files"),
}


def as_json(
    predictions: Sequence[tuple[Path, Prediction]],
    failed: Sequence[LeftOut],
    simulated: bool,
    top: int | None,
    transductive: bool = False,
    false_alarms: float | None = None,
) -> dict[str, Any]:
    """Predictions and failures as a JSON value, with ``top`` classes each, or all.

    ``none_of_these`` is null where no rate of false alarms was named.
    """
    return {
        "trained_on_simulated_recordings": simulated,
        "transductive": transductive,
        "false_alarms": false_alarms,
        "predictions": [
            {
                "file": str(path),
                "recording": p.recording,
                "answer": asdict(p.answer),
                "none_of_these": None if false_alarms is None else p.is_none(false_alarms),
                "p_value": p.p_value,
                "unseen_probability": p.unseen_probability,
                "classes": [asdict(score) for score in p.classes[:top]],
                **({} if p.why is None else {"why": reasons_as_json(p.why)}),
            }
            for path, p in predictions
        ],
        "failed": [{"file": str(item.file), "reason": item.reason} for item in failed],
    }


def as_table(
    path: Path, prediction: Prediction, top: int, false_alarms: float | None = None
) -> str:
    """A prediction as lines of aligned columns, probabilities in percent."""
    answer, shown = prediction.answer, prediction.classes[:top]
    width = max(len("class"), *(len(score.label) for score in shown))
    best = max(prediction.classes, key=lambda score: score.probability)
    unseen = f"P(unseen) {100 * prediction.unseen_probability:.1f} %"
    said = f"answer: {answer.label} ({side_of(answer)}); {unseen}"
    if prediction.is_none(false_alarms):
        said = f"answer: {NONE}; else {answer.label} ({side_of(answer)}); {unseen}"
    lines = [
        f"{escaped(path)}: {escaped(prediction.recording)}",
        said if false_alarms is None else f"{said}; p-value {prediction.p_value:.3f}",
        f"{'rank':>4}  {'class':<{width}}  {'side':<6}  probability",
    ]
    lines += [
        f"{rank:>4}  {score.label:<{width}}  {side_of(score):<6}  {100 * score.probability:>9.1f} %"
        for rank, score in enumerate(shown, start=1)
    ]
    if best != answer:
        lines.append(
            f"      The answer leads because the gate finds it {side_of(answer)}; the most "
            f"probable single class is '{best.label}'."
        )
    if prediction.why is not None:
        lines += [f"      {line}" for line in reasons_of(prediction.why)]
    return "\n".join(lines)


def as_list(found: Sequence[Found]) -> str:
    """The names of recordings, with what is in each, file by file."""
    lines = []
    for path, items in itertools.groupby(found, key=lambda item: item.file):
        lines.append(f"{path}:")
        for recording in (item.recording for item in items):
            persons, frames = recording.joints.shape[:2]
            size = f"{counted(frames, 'frame')}, {counted(persons, 'person')}"
            lines.append(f"  {recording.name}  ({size})")
    return "\n".join(lines)


def scene_of(
    recording: Recording,
    prediction: Prediction,
    simulated: bool,
    transductive: bool = False,
    false_alarms: float | None = None,
) -> Scene:
    """A recording under its answer, side and probability, and what those are of."""
    answer = prediction.answer
    title = answer.label
    caption = f"{side_of(answer)}, {100 * answer.probability:.0f} % · {recording.name}"
    if prediction.is_none(false_alarms):
        title = NONE
        caption = f"p-value {prediction.p_value:.3f}; else {answer.label} · {recording.name}"
    if transductive:
        caption += " · transductive"
    if simulated:
        caption += " · trained on simulated recordings"
    return Scene(recording.joints, title, caption)


def positive(text: str) -> int:
    """A whole number from 1 on, for argparse."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("expected 1 or more")
    return number


def share(text: str) -> float:
    """A number between 0 and 1, for argparse."""
    number = float(text)
    if not 0 < number < 1:
        raise argparse.ArgumentTypeError("expected a share between 0 and 1, such as 0.05")
    return number


def parser(prog: str = "python -m amsf.predict") -> argparse.ArgumentParser:
    """What the command takes."""
    own = argparse.ArgumentParser(prog=prog, description=__doc__.split("\n")[0])
    own.add_argument(
        "recording",
        nargs="+",
        type=Path,
        help="files of any format that `amsf pack` reads, or folders of them",
    )
    own.add_argument("--benchmark", help="one of params.yaml")
    own.add_argument(
        "--list", action="store_true", help="list the recordings in the files, and do no more"
    )
    own.add_argument(
        "--only", action="append", metavar="NAME", help="this recording alone (may be repeated)"
    )
    own.add_argument(
        "--seed", type=int, help="use this trained seed alone (default: all seeds together)"
    )
    own.add_argument("--classes", type=Path, help="CSV: unseen classes by words")
    own.add_argument(
        "--transductive",
        action="store_true",
        help="tell the recordings that count as unseen apart by a second look at all of them",
    )
    own.add_argument(
        "--false-alarms",
        type=share,
        metavar="SHARE",
        help='answer "none of these" where nothing fits; SHARE of the recordings of these classes '
        "are then refused, such as 0.05",
    )
    own.add_argument("--top", type=positive, help="classes shown (default: 5; all with --json)")
    own.add_argument("--json", action="store_true", help="print JSON alone")
    own.add_argument(
        "--why", action="store_true", help="say what stands behind each answer (--page always does)"
    )
    own.add_argument("--csv", type=Path, help="write a table of a row for each recording")
    own.add_argument("--page", type=Path, help="write a page: recordings in motion, rankings, why")
    own.add_argument("--gif", type=Path, help="write an animation of the recordings")
    add_options(own)
    add_project(own)
    return own


def main(arguments: Sequence[str] | None = None, prog: str = "python -m amsf.predict") -> None:
    """The command line; exits with 1 if a recording could not be read."""
    given = parser(prog).parse_args(arguments)
    with command(), inside_project(given):
        failed = _run(given)
    if failed:
        raise SystemExit(1)


def _complain(failed: Sequence[LeftOut]) -> None:
    for line in failures_as_lines(failed):
        say(f"error: {line}", sys.stderr)


def _run(given: argparse.Namespace) -> bool:
    """Predict and print; whether a recording failed."""
    stated = take_options(vars(given))
    if given.list:
        batch = chosen(read_all(given.recording, stated=stated), given.only)
        _report(batch)
        if batch.found:
            say(as_list(batch.found))
        return bool(batch.failed)
    if given.benchmark is None:
        known = ", ".join(load_params().benchmarks) or "none"
        raise InputError(f"--benchmark is missing; name one of params.yaml, which has {known}")
    for option, (endings, what) in _WRITTEN.items():
        target = getattr(given, option)
        if target is not None:
            if target.suffix.lower() not in endings:
                hint = f"give a name that ends in {' or '.join(endings)}"
                raise InputError(f"{target}: --{option} writes {what}; {hint}")
            check_writable(target)
            read = [path for path in (*given.recording, given.classes) if path and path.exists()]
            if target.exists() and any(target.samefile(path) for path in read):
                raise InputError(f"{target}: --{option} would replace what is read; name another")
    predictor = Predictor.load(given.benchmark, given.seed)
    set_up(predictor.settings.compute)
    if given.classes is not None:
        predictor = predictor.with_classes(given.classes)
    if given.false_alarms is not None:
        predictor.check_false_alarms(given.false_alarms)
    batch = chosen(read_all(given.recording, predictor, stated), given.only)
    _report(batch)
    predictions = predictor.predict_recordings(
        [item.recording for item in batch.found],
        transductive=given.transductive,
        why=given.why or given.page is not None,
    )
    beyond = [
        LeftOut(
            item.file,
            f"recording '{item.recording.name}': its coordinates give no finite scores",
            item.recording.name,
        )
        for item, prediction in zip(batch.found, predictions)
        if not prediction.is_finite()
    ]
    _complain(beyond)
    failed = [*batch.failed, *beyond]
    answers = [pair for pair in zip(batch.found, predictions) if pair[1].is_finite()]
    _print(given, predictor, answers, failed)
    if answers:
        _write(given, predictor, answers)
    return bool(failed)


def _report(batch: Batch) -> None:
    """Say what of the files and folders is not read, or otherwise than it is there."""
    _complain(batch.failed)
    for note in batch.notes:
        say(f"note: {escaped(note)}", sys.stderr)
    for one in batch.mended:
        say(f"note: {escaped(one.file)}: {escaped(one.recording)}: {one.what}", sys.stderr)


def _print(
    given: argparse.Namespace, predictor: Predictor, answers: Answers, failed: Sequence[LeftOut]
) -> None:
    """Print JSON or tables."""
    if not given.why:  # the page's alone
        answers = [(item, replace(prediction, why=None)) for item, prediction in answers]
    named = [(item.file, prediction) for item, prediction in answers]
    if given.json:
        options = given.top, given.transductive, given.false_alarms
        value = as_json(named, failed, predictor.simulated, *options)
        say(json.dumps(value, indent=1, allow_nan=False))
        return
    if predictor.simulated and named:
        say(f"{given.benchmark} was trained on simulated recordings.\n")
    if given.transductive and named:
        say(f"Transductive: each answer depends on all {len(named)} recordings.\n")
    if not named:
        return
    if len(named) > IN_FULL and given.top is None and not given.why:
        say(as_lines(answers, given.false_alarms))
    else:
        shown = given.top or TABLE_ROWS, given.false_alarms
        say("\n\n".join(as_table(*item, *shown) for item in named))


def _write(given: argparse.Namespace, predictor: Predictor, answers: Answers) -> None:
    """Write the files that were asked for."""
    if given.csv is not None:
        write_text(given.csv, as_csv(answers, given.false_alarms))
    if given.page is not None:
        told = read_classes(given.classes) if given.classes is not None else []
        page = build_page(
            answers,
            predictor,
            given.benchmark,
            top=given.top or TABLE_ROWS,
            added=[one.label for one in told],
            transductive=given.transductive,
            false_alarms=given.false_alarms,
        )
        write_text(given.page, page)
    if given.gif is not None:
        scenes = [
            scene_of(item.recording, p, predictor.simulated, given.transductive, given.false_alarms)
            for item, p in answers
        ]
        lacking = write_gif(given.gif, scenes, layout_of(predictor.extractor.layout))
        if lacking:
            say(
                f"note: {given.gif}: no font of this machine has {first_ten(lacking, '')}; boxes "
                "stand for these characters: install one that has them, such as Noto Sans",
                sys.stderr,
            )


if __name__ == "__main__":
    main()
