"""The skeleton encoder: its network, its training and the features it gives (stage ``backbone``).

Imports ``base``, ``settings``, ``skeleton``, ``dataset`` and ``machine``.
"""
