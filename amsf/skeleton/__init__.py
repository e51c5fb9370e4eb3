"""Recordings of skeletons: joint layouts, the canonical set of recordings, the partition into
training and test.

Imports ``base``.
"""
