"""One page on the answers to recordings: each in motion, its ranking, and what stands behind it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from amsf.base.errors import counted
from amsf.base.progress import track
from amsf.predict import motion
from amsf.predict.batch import Found
from amsf.predict.prediction import ClassScore, Prediction
from amsf.predict.predictor import Predictor
from amsf.predict.why import Near, ViewAnswer, Why
from amsf.report.benchmark_section import VIEWS_IN_WORDS
from amsf.report.render import render
from amsf.skeleton.joints import layout_of

TEMPLATES = Path(__file__).parent / "templates"
SCRIPT = "motion.js"
NEAREST = 3  # seen classes that are shown


def build_page(
    answers: Sequence[tuple[Found, Prediction]],
    predictor: Predictor,
    benchmark: str,
    *,
    top: int,
    added: Sequence[str] = (),
    transductive: bool = False,
    false_alarms: float | None = None,
) -> str:
    """The page, which needs nothing beside it; equal input gives equal bytes.

    Args:
        answers: at least one recording with the joints of the benchmark, and what is said of it,
            with its reasons.
        predictor: what said it.
        benchmark: its name.
        top: how many classes of each are shown.
        added: labels of the classes that were told by words.
        transductive: whether a second look was taken.
        false_alarms: the rate that was named for "none of these"; None where it is no answer.
    """
    layout = layout_of(predictor.extractor.layout)
    config = predictor.model.config
    script = (TEMPLATES / SCRIPT).read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    views = config.model.views
    return render(
        "predictions.html",
        TEMPLATES,
        script=f"sha256-{digest}",
        script_file=SCRIPT,
        facts={
            "Benchmark": benchmark,
            "Method": _method(predictor),
            "Classes": f"{len(config.seen)} seen, {len(config.unseen)} unseen",
            "Texts": f"{predictor.settings.text.encoder}; {_views(len(views))}",
        },
        simulated=predictor.simulated,
        transductive=transductive,
        added=list(added),
        views={view: VIEWS_IN_WORDS[view] for view in views},
        lines=json.dumps(motion.lines_of(layout), separators=(",", ":")),
        size=(motion.WIDTH, motion.HEIGHT),
        most_frames=motion.MOST_FRAMES,
        recordings=[
            {
                "number": number,
                "file": str(found.file),
                "motion": motion.motion_of(found.recording.joints, layout),
                "none": f"{prediction.p_value:.3f}" if prediction.is_none(false_alarms) else None,
                **_said(prediction, top),
            }
            for number, (found, prediction) in enumerate(track(answers, "drawing recordings"), 1)
        ],
    )


def _method(predictor: Predictor) -> str:
    seeds = getattr(predictor.model, "members", [predictor.model])
    name = predictor.settings.model.aligner
    return name if len(seeds) == 1 else f"{name}, {len(seeds)} seeds together"


def _views(count: int) -> str:
    return f"{counted(count, 'view')} of each class"


def _said(prediction: Prediction, top: int) -> dict[str, Any]:
    """What is said of one recording, in words and percent."""
    answer, why = prediction.answer, prediction.why
    assert why is not None
    best = max(prediction.classes, key=lambda score: score.probability)
    return {
        "name": prediction.recording,
        "answer": _shown(answer),
        "unseen": percent(prediction.unseen_probability),
        "classes": [_shown(score) for score in prediction.classes[:top]],
        "left": len(prediction.classes) - top,
        "best": best.label if best != answer else None,
        **_reasons(why, answer),
    }


def _shown(score: ClassScore) -> dict[str, Any]:
    return {
        "label": score.label,
        "side": "seen" if score.seen else "unseen",
        "percent": percent(score.probability),
    }


def _reasons(why: Why, answer: ClassScore) -> dict[str, Any]:
    """The nearest seen classes with the answer among them, and the views."""
    near = list(why.nearest[:NEAREST])
    if answer.id not in [one.id for one in near]:
        near.append(Near(answer.id, answer.label, why.cosine))
    near.sort(key=lambda one: -one.cosine)
    return {
        "near": [
            {
                "label": one.label,
                "cosine": f"{one.cosine:+.2f}",
                "width": percent(max(0.0, one.cosine)),
                "own": one.id == answer.id,
            }
            for one in near
        ],
        "agreeing": why.agreeing,
        "views_said": [_view(one) for one in why.views],
        "together": _view(why.together),
    }


def _view(one: ViewAnswer) -> dict[str, Any]:
    return {"view": one.view, "label": one.label, "rank": one.rank, "agrees": one.agrees}


def percent(share: float) -> str:
    """A share as a number of percent with one decimal."""
    return f"{100 * share:.1f}"
