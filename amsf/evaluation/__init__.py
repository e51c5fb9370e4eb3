"""Scores of trained runs: ZSL, the gate, GZSL, the seen-unseen curve (stage ``evaluate``).

Imports ``model``, ``features`` and what those import.
"""
