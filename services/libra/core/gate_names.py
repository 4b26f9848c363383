"""Names in the policies of gates."""

from __future__ import annotations

EVERY_TASK = "*"
"""The score of a rule about every task by itself."""
