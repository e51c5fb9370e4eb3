"""Features of recordings: the skeleton encoder and the motion summary (stage ``backbone``).

Imports ``base``, ``settings``, ``skeleton``, ``dataset`` and ``machine``.
"""
