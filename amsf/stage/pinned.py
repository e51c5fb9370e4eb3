"""Imported before NumPy and torch, this sets the pins where ``compute.portable`` asks for them."""

from __future__ import annotations

from amsf.stage.portable import asked_for, pin

HOLDS = asked_for() and pin()
