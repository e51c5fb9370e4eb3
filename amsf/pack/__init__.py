"""Readers of raw recordings, and ``python -m amsf.pack``, which packs them once.

Imports ``base``, ``skeleton`` and ``dataset``.
"""
