"""AMSF: generalized zero-shot skeleton-based action recognition.

The library behind the pipeline in ``dvc.yaml``: plain functions and small ``nn.Module`` classes,
importable without DVC. Fractions in code, percent in reports; class ids are 0-based everywhere.
"""
