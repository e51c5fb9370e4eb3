"""Grids of experiments through DVC's queue: ``python -m amsf.ablation``.

Imports ``compare``, ``text`` and what those import.
"""
