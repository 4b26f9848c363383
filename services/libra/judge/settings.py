"""What judge can be told from outside, as LIBRA_JUDGE_*."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """Where judge models are reached, and how long they may take."""

    gateway_address: str = "127.0.0.1:50053"
    """Where the gateway answers."""

    gateway_timeout_seconds: float = 600.0
    """One request of up to 64 conversations takes no longer: a judge model on two cores writes some 20 tokens a second."""

    slots: int = 16
    """Batches in hand at once. Rules need the processor alone; the slots are for those that wait for a judge model."""

    look_seconds: float = 2.0
    """A run whose judge asks a model is looked up this often: a cancelled one costs no more than what is under way."""
