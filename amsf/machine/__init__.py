"""The machine: device and threads, what is granted, runs side by side, snapshots.

Imports ``base``, ``settings`` and ``stage``.
"""
