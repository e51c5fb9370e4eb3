"""The report of all benchmarks: pictures, tables for ``dvc plots``, one page (stage
``summarize``).

Imports ``evaluation``, ``text`` and what those import.
"""
