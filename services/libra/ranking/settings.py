"""The settings of ranking: the environment variables LIBRA_RANKING_*."""

from __future__ import annotations

from dataclasses import dataclass

from libra.core.settings import Count, Seconds


@dataclass(frozen=True, slots=True)
class Settings:
    """The concurrency of ranking, and its intervals."""

    slots: Count = 32
    """Batches processed at once: those that wait for one commit form the next, of eight full batches at most."""

    signal_seconds: Seconds = 0.25
    """The least interval between two signals that a run has new verdicts, for each run."""

    look_seconds: Seconds = 2.0
    """The interval at which a watched board is checked when no signal arrives."""

    heartbeat_seconds: Seconds = 10.0
    """The interval after which a watch without changes sends a heartbeat."""

    gather_seconds: Seconds = 2.0
    """The time limit of a board for its sums by sample. Then it is shown without them, and completed later."""
