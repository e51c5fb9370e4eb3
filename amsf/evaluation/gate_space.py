"""What a gate measures by itself, whatever the alignment method: a distance and two margins.

N = samples · S = seen classes · U = unseen classes · V = text views · D = text width · E = V·D ·
F = feature width · d = width of the whitened space. All of it is fitted in milliseconds, so that
it can be fitted again without some people and some classes (:mod:`amsf.evaluation.held_out`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from scipy.special import logsumexp, softmax

from amsf.base.errors import InputError
from amsf.base.storage import read_tensors, write_tensors
from amsf.features.phases import PhaseFeatures
from amsf.model.closed_form import centre_views, side_by_side
from amsf.model.seen_space import SeenSpace

OWN_SCORES = ("distance", "prototypes", "ridge")
UNSEEN_DISTANCE = "unseen_distance"

# In the mean eigenvalue of the texts' kernel, and in the mean squared length of the samples.
_TEXT_PENALTY = 1.0
_FEATURE_PENALTY = 3.0
_ARRAYS = ("centre", "texts", "places", "shares")


@dataclass(frozen=True)
class GateSpace:
    """The seen classes in the whitened space of their features, and maps from and to their texts.

    A class's place is predicted by kernel ridge from texts to the seen classes' means, as
    :mod:`amsf.model.prototypes` does; a sample's text by ridge from the whitened features.

    Attributes:
        space: the whitened space.
        centre: (E,) mean of the seen classes' texts.
        texts: (S, E) centred texts of the seen classes.
        places: (S, d) weights of the kernel, from texts to places.
        shares: (d, S), from the whitened space to shares of the seen classes' texts.
    """

    space: SeenSpace
    centre: np.ndarray
    texts: np.ndarray
    places: np.ndarray
    shares: np.ndarray

    @classmethod
    def fit(cls, features: np.ndarray, labels: np.ndarray, text: np.ndarray) -> GateSpace:
        """Fit on training samples of the seen classes.

        Args:
            features: (N, F).
            labels: (N,), S distinct ones.
            text: (S, V, D) texts of these, in ascending order.
        """
        space = SeenSpace.fit(features, labels)
        centre = _flat(text).mean(0)
        texts = _centred(text, centre)
        kernel = texts @ texts.T
        mean = np.trace(kernel) / len(kernel) or 1.0  # one class, or equal texts: all is 0
        ridge = _TEXT_PENALTY * mean * np.eye(len(kernel))
        places = np.linalg.solve(kernel + ridge, space.means - space.origin)
        x = space.whitened(features)
        is_of = np.unique(labels)[:, None] == labels
        ridge = _FEATURE_PENALTY * (x**2).sum(1).mean() * np.eye(x.shape[1])
        return cls(space, centre, texts, places, np.linalg.solve(x.T @ x + ridge, (is_of @ x).T))

    def scores(
        self, features: np.ndarray, seen_text: np.ndarray, unseen_text: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Name -> (N,), all but the last rising with how likely a sample is of an unseen class.

        ``distance`` to the nearest mean of a seen class; ``prototypes`` and ``ridge``: the largest
        cosine to an unseen class less the largest to a seen one, in the whitened space and among
        texts; ``unseen_distance`` to the nearest place of an unseen class, which no gate uses.

        Args:
            features: (N, F).
            seen_text: (S, V, D) of the classes that it was fitted on.
            unseen_text: (U, V, D) of others.
        """
        x = self.space.whitened(features)
        unseen, seen = (_centred(text, self.centre) for text in (unseen_text, seen_text))
        to_place = self.texts.T @ self.places
        return {
            "distance": self.space.distance(features),
            "prototypes": _margin(x, unseen @ to_place, seen @ to_place),
            "ridge": _margin(x @ self.shares @ self.texts, unseen, seen),
            UNSEEN_DISTANCE: self.unseen_distances(features, unseen_text).min(1),
        }

    def unseen_distances(self, features: np.ndarray, unseen_text: np.ndarray) -> np.ndarray:
        """1 less the cosine to the place of each unseen class: (N, F), (U, V, D) -> (N, U)."""
        places = _centred(unseen_text, self.centre) @ (self.texts.T @ self.places)
        return np.asarray(1 - _unit(self.space.whitened(features)) @ _unit(places).T)

    def save(self, path: Path) -> None:
        """Write it as safetensors."""
        write_tensors(path, {**vars(self.space), **{k: getattr(self, k) for k in _ARRAYS}})

    @classmethod
    def load(cls, path: Path) -> GateSpace:
        """Read what :meth:`save` wrote.

        Raises:
            InputError: the file is missing, cut short or holds something else.
        """
        tensors = read_tensors(path)
        try:
            own = {name: tensors.pop(name) for name in _ARRAYS}
            return cls(SeenSpace(**tensors), **own)
        except (KeyError, TypeError) as error:
            raise InputError(
                f"{path}: not what gates measure ({error}); expected what `stages.evaluate` "
                "writes: run `dvc repro`"
            ) from error


def classifier_scores(logits: np.ndarray, temperature: float) -> dict[str, np.ndarray]:
    """``probability`` and ``energy`` of raw logits of the seen classes: (N, S) -> (N,) each."""
    own = logits.astype(np.float64) / temperature
    return {"probability": -softmax(own, axis=1).max(1), "energy": -logsumexp(own, axis=1)}


def _flat(text: np.ndarray) -> np.ndarray:
    return side_by_side(torch.from_numpy(np.asarray(text, np.float64))).numpy()


def _centred(text: np.ndarray, centre: np.ndarray) -> np.ndarray:
    flat = torch.from_numpy(_flat(text))
    return centre_views(flat, torch.from_numpy(centre), text.shape[1]).numpy()


def _margin(samples: np.ndarray, unseen: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """The largest cosine to an unseen class less the largest to a seen one: (N,)."""
    x = _unit(samples)
    return (x @ _unit(unseen).T).max(1) - (x @ _unit(seen).T).max(1)


def _unit(x: np.ndarray) -> np.ndarray:
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)


@dataclass(frozen=True)
class Texts:
    """Text vectors as something that can be a key."""

    raw: bytes
    shape: tuple[int, ...]

    @classmethod
    def of(cls, text: np.ndarray) -> Texts:
        return cls(np.asarray(text, np.float32).tobytes(), text.shape)

    @property
    def vectors(self) -> np.ndarray:
        return np.frombuffer(self.raw, np.float32).reshape(self.shape)


def space_of(phase: PhaseFeatures, seen_text: np.ndarray) -> GateSpace:
    """What gates measure by themselves in a phase, with texts (S, V, D) of its seen classes."""
    return _space(phase, Texts.of(seen_text))


@lru_cache(maxsize=4)  # every method beside a result asks for the same two
def _space(phase: PhaseFeatures, texts: Texts) -> GateSpace:
    train = phase.train
    return GateSpace.fit(train.features.numpy(), train.labels.numpy(), texts.vectors)
