"""The machine: device and threads, runs side by side, snapshots, what each stage took.

Imports ``base`` and ``settings``.
"""
