"""What attack can be told from outside, as LIBRA_ATTACK_*."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import PositiveFloat, PositiveInt


@dataclass(frozen=True, slots=True)
class Settings:
    """How much attack takes on at once, and where it reaches models."""

    slots: PositiveInt = 8
    """Batches in hand at once. Rewriting needs the processor alone; more slots than it takes to hide the queue's round trip
    would only keep work from other replicas."""

    writing_slots: PositiveInt = 16
    """Batches in hand at once for which models are asked: 128 trials of several turns, or up to 1,024 of one question each."""

    gateway_address: str = "127.0.0.1:50053"
    """Where the gateway answers."""

    gateway_timeout_seconds: PositiveFloat = 1_200.0
    """One question takes no longer, with its wait for those that the gateway was asked before. It takes turns with the batches
    that a gateway holds: at 4 in flight and 30 s an answer, these are worth 510 s."""

    questions_at_once: PositiveInt = 64
    """Questions put to the gateway at once; the others wait here, where they run into no timeout. At 4 in flight and 30 s an
    answer, 64 wait 480 s among themselves."""

    look_seconds: PositiveFloat = 2.0
    """A run that has ended is noticed after this long."""
