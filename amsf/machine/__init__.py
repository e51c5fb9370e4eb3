"""The machine: device and threads, runs side by side, snapshots, the log of each stage.

Imports ``base`` and ``settings``.
"""
