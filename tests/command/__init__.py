"""Tests of `amsf.command`."""
