"""The simulated recordings of the demo (stage ``simulate``).

Imports ``base`` and ``skeleton``.
"""
