"""Names for the actions of recordings: ``python -m amsf.predict``.

Imports ``evaluation``, ``backbone``, ``pack``, ``text`` and what those import.
"""

from amsf.predict.predictor import ClassScore, Prediction, Predictor

__all__ = ["ClassScore", "Prediction", "Predictor"]
