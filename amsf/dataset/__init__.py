"""The datasets' classes and the class splits into seen and unseen ones.

Imports ``base`` and ``settings``.
"""
