"""Names for the actions of recordings: ``python -m amsf.predict``.

Imports ``evaluation``, ``backbone``, ``pack``, ``text`` and what those import.
"""

import amsf.stage.pinned  # noqa: F401  (before anything loads NumPy or torch)
from amsf.predict.prediction import ClassScore, Prediction
from amsf.predict.predictor import Predictor

__all__ = ["ClassScore", "Prediction", "Predictor"]
