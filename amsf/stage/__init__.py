"""The process of a stage: its kernels, what it read, what it took. Nothing here imports torch.

Imports ``base``.
"""
