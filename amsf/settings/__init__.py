"""The parameters in ``params.yaml`` as validated, frozen settings, and the protocols.

Imports ``base``; nothing here imports torch, so that a typo is reported within a second.
"""
