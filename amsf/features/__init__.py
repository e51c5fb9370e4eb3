"""Skeleton features, imported from the published layout and checked (stage ``features``).

Imports ``base`` and ``dataset``.
"""
