"""Methods side by side over many class splits (stage ``many_splits``).

Imports ``training``, ``evaluation``, ``backbone``, ``text`` and what those import.
"""
