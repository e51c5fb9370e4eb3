"""Why a recording got its answer: the seen classes that it lies near, and what each view says.

N = recordings · n = classes of one side · U = unseen classes · S = seen classes · V = text views ·
D = text width · F = feature width.

Both are asked of the trained method itself, whichever it is. Nearness is the cosine between a
recording and a class's texts in the space that the method puts both into, which is also what the
gate's ``stacking`` score compares. A view is asked alone by putting its words in the place of all
views: the method answers as if it had been told no more of the classes, as when one text is all
that a user writes of a class (:mod:`amsf.predict.unseen_classes`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from amsf.base.progress import track
from amsf.evaluation.ensemble import Scorer


@dataclass(frozen=True)
class Near:
    """A seen class, and the cosine between the recording and its texts."""

    id: int
    label: str
    cosine: float


@dataclass(frozen=True)
class ViewAnswer:
    """What the words of one view say, among the classes of the answer's side.

    Attributes:
        view: the view's name.
        label: the class that they lead to.
        rank: that of the answer among these classes, from 1.
    """

    view: str
    label: str
    rank: int

    @property
    def agrees(self) -> bool:
        """Whether they lead to the answer."""
        return self.rank == 1


@dataclass(frozen=True)
class Why:
    """What stands behind an answer.

    Attributes:
        cosine: between the recording and the answer's texts.
        nearest: all S seen classes, the nearest first.
        views: each of the V views, asked alone.
        together: all views at once; of an unseen answer that is the answer itself, unless a second
            look was taken.
    """

    cosine: float
    nearest: tuple[Near, ...]
    views: tuple[ViewAnswer, ...]
    together: ViewAnswer

    @property
    def agreeing(self) -> list[str]:
        """The views that lead to the answer."""
        return [one.view for one in self.views if one.agrees]


def explain(
    model: Scorer,
    features: torch.Tensor,
    answers: np.ndarray,
    unseen_text: np.ndarray,
    seen_text: np.ndarray,
    labels: Sequence[str],
) -> list[Why]:
    """Ask the trained method what stands behind its answers.

    Args:
        model: the alignment method; its config names the classes and the views.
        features: (N, F).
        answers: (N,) ids of classes.
        unseen_text: (U, V, D) text vectors, in the order of the model's config.
        seen_text: (S, V, D) likewise.
        labels: names of the classes, by id.
    """
    config = model.config
    sides = [(config.unseen, unseen_text), (config.seen, seen_text)]
    cosines = model.cosines(features, *(torch.from_numpy(text) for _, text in sides))
    near = {
        c: column
        for (ids, _), part in zip(sides, cosines)
        for c, column in zip(ids, part.T.tolist())
    }
    said: dict[int, list[ViewAnswer]] = {i: [] for i in range(len(answers))}
    for ids, text in sides:
        rows = np.flatnonzero(np.isin(answers, ids))
        if not len(rows):
            continue
        own = np.array([ids.index(answer) for answer in answers[rows]])
        asked = _views(model, ids, text)
        for view, told in track(asked, "asking each view", total=1 + len(config.model.views)):
            scores = told.probabilities(features[rows]).numpy()
            better = scores > scores[np.arange(len(rows)), own][:, None]
            for row, best, above in zip(rows.tolist(), scores.argmax(axis=1), better):
                said[row].append(ViewAnswer(view, labels[ids[best]], 1 + int(above.sum())))
    found = []
    for i, answer in enumerate(answers.tolist()):
        order = sorted(config.seen, key=lambda c: -near[c][i])
        together, *views = said[i]
        nearest = tuple(Near(c, labels[c], near[c][i]) for c in order)
        found.append(Why(near[answer][i], nearest, tuple(views), together))
    return found


def _views(model: Scorer, ids: tuple[int, ...], text: np.ndarray) -> Iterator[tuple[str, Scorer]]:
    """The method told all of the classes' texts (n, V, D), under no name, then each view alone."""
    known = ids == model.config.unseen
    yield "", model if known else model.for_classes(ids, torch.from_numpy(text))
    for i, view in enumerate(model.config.model.views):
        words = np.repeat(text[:, [i]], text.shape[1], axis=1)
        yield view, model.for_classes(ids, torch.from_numpy(words))
