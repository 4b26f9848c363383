"""What attack can be told from outside, as LIBRA_ATTACK_*."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """How much attack takes on at once."""

    slots: int = 8
    """Batches in hand at once. Rewriting needs the processor alone; more slots than it takes to hide the queue's round trip
    would only keep work from other replicas."""
