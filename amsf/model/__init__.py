"""The alignment method: fusion of the text views, the cross-modal VAE and the unseen classifier.

Imports ``base`` and ``settings``.
"""
