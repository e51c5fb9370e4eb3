"""Methods side by side over many class splits: ``python -m amsf.study``.

Imports ``training``, ``evaluation``, ``backbone``, ``text`` and what those import.
"""
