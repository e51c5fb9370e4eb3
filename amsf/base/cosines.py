"""How alike vectors are: the cosine of the angle between each two of them.

C = vectors, one a class · D = their width.
"""

from __future__ import annotations

import numpy as np


def cosine_matrix(vectors: np.ndarray) -> np.ndarray:
    """Cosines between the rows of (C, D): (C, C) float64, symmetric, 1 on the diagonal."""
    rows = vectors.astype(np.float64)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    products = rows @ rows.T
    # Rounding leaves the two halves apart by a last bit, and what points the same way beyond 1.
    cosines = np.clip((products + products.T) / 2, -1, 1)
    np.fill_diagonal(cosines, 1)
    return cosines
