"""Training of every phase and seed of a benchmark (stage ``train``).

Imports ``model``, ``features``, ``machine`` and what those import.
"""
