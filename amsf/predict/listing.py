"""Answers to many recordings, a line or a row each, and the reasons of one in two lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from amsf.base.display import escaped
from amsf.base.tables import csv_text
from amsf.predict.batch import Found
from amsf.predict.prediction import NONE, ClassScore, Prediction
from amsf.predict.why import Why

NEAREST = 3  # seen classes that are named

Answers = Sequence[tuple[Found, Prediction]]


def side_of(score: ClassScore) -> str:
    """``seen`` or ``unseen``."""
    return "seen" if score.seen else "unseen"


def as_lines(answers: Answers, false_alarms: float | None = None) -> str:
    """A line for each recording: its answer, and last its names, which may be long."""
    said = [_said(prediction, false_alarms) for _, prediction in answers]
    width = max(len("answer"), *map(len, said))
    lines = [f"probability  P(unseen)  side    {'answer':<{width}}  recording"]
    for words, (found, prediction) in zip(said, answers):
        answer = prediction.answer
        lines.append(
            f"{100 * answer.probability:>9.1f} %  {100 * prediction.unseen_probability:>7.1f} %  "
            f"{side_of(answer):<6}  {words:<{width}}  "
            f"{escaped(found.file)}: {escaped(prediction.recording)}"
        )
    return "\n".join(lines)


def _said(prediction: Prediction, false_alarms: float | None) -> str:
    label = prediction.answer.label
    return f"{NONE}, else {label}" if prediction.is_none(false_alarms) else label


def as_csv(answers: Answers, false_alarms: float | None = None) -> str:
    """A row for each recording, for spreadsheets and pandas; probabilities from 0 to 1.

    ``p_value`` and ``none_of_these`` are there where a rate of false alarms was named.
    """
    rows = [
        (
            str(found.file),
            prediction.recording,
            prediction.answer.label,
            side_of(prediction.answer),
            prediction.answer.probability,
            prediction.unseen_probability,
        )
        for found, prediction in answers
    ]
    columns = ["file", "recording", "answer", "side", "probability", "unseen_probability"]
    table = pd.DataFrame(rows, columns=columns)
    if false_alarms is not None:
        table["p_value"] = [prediction.p_value for _, prediction in answers]
        table["none_of_these"] = [prediction.is_none(false_alarms) for _, prediction in answers]
    return csv_text(table, float_format="%.6f")


def reasons_of(why: Why) -> list[str]:
    """The nearest seen classes and what the views say, as lines of a table."""
    near = ", ".join(f"{one.label} {one.cosine:.2f}" for one in why.nearest[:NEAREST])
    others = "".join(f"; {one.view}: {one.label}" for one in why.views if not one.agrees)
    agreeing = f" ({', '.join(why.agreeing)})" if why.agreeing else ""
    return [
        f"nearest seen classes by words: {near}; the answer {why.cosine:.2f}",
        f"views that agree: {len(why.agreeing)} of {len(why.views)}{agreeing}{others}",
    ]


def reasons_as_json(why: Why) -> dict[str, Any]:
    """The same as a JSON value, with all seen classes."""
    return {
        "answer_cosine": why.cosine,
        "nearest_seen": [{"label": one.label, "cosine": one.cosine} for one in why.nearest],
        "views": [
            {"view": one.view, "label": one.label, "rank": one.rank, "agrees": one.agrees}
            for one in why.views
        ],
        "all_views": {"label": why.together.label, "rank": why.together.rank},
    }
