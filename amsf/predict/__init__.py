"""Names for the actions of recordings: ``python -m amsf.predict``.

Imports ``evaluation``, ``backbone``, ``pack``, ``text`` and what those import.
"""

import amsf.stage.pinned  # noqa: F401  (before anything loads NumPy or torch)
from amsf.predict.predictor import ClassScore, Prediction, Predictor

__all__ = ["ClassScore", "Prediction", "Predictor"]
