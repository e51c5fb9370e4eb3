"""Grids of experiments through DVC's queue: ``python -m amsf.ablation``.

Imports ``compare``, ``text``, ``model`` and what those import.
"""
