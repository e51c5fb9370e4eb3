"""The texts of the classes, from descriptions to vectors (stages ``describe``, ``encode``,
``look_at_texts``).

Imports ``base``, ``settings`` and ``dataset``.
"""
