"""Did a change help? Paired differences of experiments: ``python -m amsf.compare``.

Imports ``base``, ``evaluation`` and ``study``.
"""
