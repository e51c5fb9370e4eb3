"""Prototypes at test time: a second look with the unlabelled test samples. TRANSDUCTIVE.

N = samples that count as unseen · U = unseen classes · E = width of the shared space. It sees all
test samples at once, though not their labels, so its scores are a setting of their own and never
stand beside inductive ones without that word. Source: the last step of PGFA (IEEE Transactions on
Image Processing 34, 2025).
"""

from __future__ import annotations

import numpy as np
from scipy.special import softmax
from scipy.stats import entropy

SHARPNESS = 3.0
SHARE = 0.5  # of a class's guessed samples, those that are surest
FEWEST = 2


def refine(scores: np.ndarray, embedding: np.ndarray) -> np.ndarray:
    """Classify again, by the surest samples of each guessed class.

    Args:
        scores: (N, U) of any method; a higher one is likelier.
        embedding: (N, E), the samples in the method's own space.

    Returns:
        (N, U): cosines to the mean of the surest half of each class's samples, at least two. A
        class that fewer samples are taken for keeps the two that are likeliest of it.
    """
    rows = np.asarray(scores, np.float64)
    centred = rows - rows.mean(1, keepdims=True)
    sure = softmax(SHARPNESS * centred / (rows.std(1, keepdims=True) + 1e-9), axis=1)
    guess, doubt = sure.argmax(1), entropy(sure, axis=1)
    unit = _unit(np.asarray(embedding, np.float64))
    prototypes = []
    for c in range(scores.shape[1]):
        mine = np.flatnonzero(guess == c)
        if len(mine) < FEWEST:
            chosen = np.argsort(-sure[:, c], kind="stable")[:FEWEST]
        else:
            kept = max(FEWEST, int(np.ceil(SHARE * len(mine))))
            chosen = mine[np.argsort(doubt[mine], kind="stable")[:kept]]
        prototypes.append(unit[chosen].mean(0))
    return unit @ _unit(np.stack(prototypes)).T


def _unit(x: np.ndarray) -> np.ndarray:
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
