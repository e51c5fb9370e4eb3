"""The alignment methods: the seam that all have in common, and a module of each.

Imports ``base`` and ``settings``.
"""
