"""Recognise actions in recordings with a trained benchmark.

    python -m amsf.predict RECORDING... --benchmark demo-u8 [--classes my_actions.csv]

runs from the repository's top folder after ``dvc repro``; see docs/predict.md. In Python it is
:class:`Predictor`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from amsf.base.command import command
from amsf.base.display import escaped, say
from amsf.base.errors import InputError
from amsf.base.progress import track
from amsf.base.storage import check_writable
from amsf.machine.device import set_up
from amsf.pack.base import LeftOut, Mended, reason_of
from amsf.pack.formats import read_any
from amsf.predict.animation import Scene, write_gif
from amsf.predict.predictor import ClassScore, Prediction, Predictor
from amsf.skeleton.joints import layout_of
from amsf.skeleton.recordings import Recording

__all__ = ["ClassScore", "Prediction", "Predictor", "main", "read_all"]

TABLE_ROWS = 5


@dataclass(frozen=True)
class _Found:
    """A recording and the file that it is in."""

    file: Path
    recording: Recording


def read_all(
    paths: Sequence[Path], predictor: Predictor
) -> tuple[list[_Found], list[LeftOut], list[Mended]]:
    """Read what can be read of several files, and report what cannot and what was mended."""
    found: list[_Found] = []
    failed: list[LeftOut] = []
    mended: list[Mended] = []
    for path in track(paths, "reading recordings"):
        try:
            outcome = read_any(path)
            predictor.check_layout(outcome.layout, str(path))
            if not outcome.recordings and not outcome.left_out:
                raise InputError(f"{path}: no recording in it")
        # Whatever a damaged file makes a parser raise, it must not stop the other files.
        except Exception as error:
            failed.append(LeftOut(path, reason_of(error, path)))
            continue
        found += [_Found(path, recording) for recording in outcome.recordings]
        failed += outcome.left_out
        mended += outcome.mended
    return found, failed, mended


def as_json(
    predictions: Sequence[tuple[Path, Prediction]],
    failed: Sequence[LeftOut],
    simulated: bool,
    top: int | None,
    transductive: bool = False,
) -> dict[str, Any]:
    """Predictions and failures as a JSON value, with ``top`` classes each, or all."""
    return {
        "trained_on_simulated_recordings": simulated,
        "transductive": transductive,
        "predictions": [
            {
                "file": str(path),
                "recording": p.recording,
                "answer": asdict(p.answer),
                "unseen_probability": p.unseen_probability,
                "classes": [asdict(score) for score in p.classes[:top]],
            }
            for path, p in predictions
        ],
        "failed": [{"file": str(item.file), "reason": item.reason} for item in failed],
    }


def as_table(path: Path, prediction: Prediction, top: int) -> str:
    """A prediction as lines of aligned columns, probabilities in percent."""
    answer, shown = prediction.answer, prediction.classes[:top]
    width = max(len("class"), *(len(score.label) for score in shown))
    best = max(prediction.classes, key=lambda score: score.probability)
    lines = [
        f"{escaped(path)}: {escaped(prediction.recording)}",
        f"answer: {answer.label} ({side_of(answer)}); P(unseen) "
        f"{100 * prediction.unseen_probability:.1f} %",
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
    return "\n".join(lines)


def side_of(score: ClassScore) -> str:
    """``seen`` or ``unseen``."""
    return "seen" if score.seen else "unseen"


def scene_of(
    recording: Recording, prediction: Prediction, simulated: bool, transductive: bool = False
) -> Scene:
    """A recording under its answer, side and probability, and what those are of."""
    answer = prediction.answer
    caption = f"{side_of(answer)}, {100 * answer.probability:.0f} % · {recording.name}"
    if transductive:
        caption += " · transductive"
    if simulated:
        caption += " · trained on simulated recordings"
    return Scene(recording.joints, answer.label, caption)


def positive(text: str) -> int:
    """A whole number from 1 on, for argparse."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("expected 1 or more")
    return number


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line; exits with 1 if a recording could not be read."""
    parser = argparse.ArgumentParser(
        prog="python -m amsf.predict", description=__doc__.split("\n")[0]
    )
    parser.add_argument(
        "recording", nargs="+", type=Path, help=".skeleton .mat .txt .npz .safetensors"
    )
    parser.add_argument("--benchmark", required=True, help="one of params.yaml")
    parser.add_argument(
        "--seed", type=int, help="use this trained seed alone (default: all seeds together)"
    )
    parser.add_argument("--classes", type=Path, help="CSV: unseen classes by words")
    parser.add_argument(
        "--transductive",
        action="store_true",
        help="tell the recordings that count as unseen apart by a second look at all of them",
    )
    parser.add_argument("--top", type=positive, help="classes shown (default: 5; all with --json)")
    parser.add_argument("--json", action="store_true", help="print JSON alone")
    parser.add_argument("--gif", type=Path, help="write an animation of the recordings")
    given = parser.parse_args(arguments)
    with command():
        failed = _run(given)
    if failed:
        raise SystemExit(1)


def _complain(left_out: LeftOut) -> None:
    say(f"error: {escaped(left_out.file)}: {escaped(left_out.reason)}", sys.stderr)


def _run(given: argparse.Namespace) -> bool:
    """Predict and print; whether a recording failed."""
    if given.gif is not None and given.gif.suffix.lower() != ".gif":
        raise InputError(f"{given.gif}: --gif writes GIF files; give a name that ends in .gif")
    if given.gif is not None:
        check_writable(given.gif)
    predictor = Predictor.load(given.benchmark, given.seed)
    set_up(predictor.settings.compute)
    if given.classes is not None:
        predictor = predictor.with_classes(given.classes)
    found, failed, mended = read_all(given.recording, predictor)
    for left_out in failed:
        _complain(left_out)
    for note in mended:
        say(f"note: {escaped(note.file)}: {escaped(note.recording)}: {note.what}", sys.stderr)
    predictions = predictor.predict_recordings(
        [item.recording for item in found], transductive=given.transductive
    )
    for item, prediction in zip(found, predictions):
        if not prediction.is_finite():
            reason = f"recording '{item.recording.name}': its coordinates give no finite scores"
            failed.append(LeftOut(item.file, reason))
            _complain(failed[-1])
    shown = [pair for pair in zip(found, predictions) if pair[1].is_finite()]
    named = [(item.file, prediction) for item, prediction in shown]
    if given.json:
        value = as_json(named, failed, predictor.simulated, given.top, given.transductive)
        say(json.dumps(value, indent=1, allow_nan=False))
    else:
        if predictor.simulated and named:
            say(f"{given.benchmark} was trained on simulated recordings.\n")
        if given.transductive and named:
            say(f"Transductive: each answer depends on all {len(named)} recordings.\n")
        say("\n\n".join(as_table(*item, given.top or TABLE_ROWS) for item in named))
    if given.gif is not None and named:
        scenes = [
            scene_of(item.recording, p, predictor.simulated, given.transductive)
            for item, p in shown
        ]
        write_gif(given.gif, scenes, layout_of(predictor.extractor.layout))
    return bool(failed)


if __name__ == "__main__":
    main()
