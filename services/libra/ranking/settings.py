"""What ranking can be told from outside, as LIBRA_RANKING_*."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """How much ranking takes on at once, and how often it speaks."""

    slots: int = 32
    """Batches in hand at once: those that wait for one commit make up the next, of eight full ones at most."""

    signal_seconds: float = 0.25
    """That a run has moved is said no oftener, for each run."""

    look_seconds: float = 2.0
    """A watched board is looked at this often when no signal says that it has changed."""

    heartbeat_seconds: float = 10.0
    """A watch says that it is alive when it has had nothing else to say for so long."""

    gather_seconds: float = 2.0
    """A board waits no longer for what each sample contributes to its scores. It is shown without, and completed later."""
