"""Settings of dispatch, read from LIBRA_DISPATCH_*."""

from __future__ import annotations

from dataclasses import dataclass

from libra.core.settings import Count, Seconds, Target


@dataclass(frozen=True, slots=True)
class Settings:
    """Addresses of the services that dispatch calls, and its limits for a run."""

    attack_address: Target = "127.0.0.1:50052"
    """Address of the attack service."""

    judge_address: Target = "127.0.0.1:50054"
    """Address of the judge service."""

    window_trials: Count = 4096
    """Maximum of trials in flight per (run, model), reached only while few batches wait for the model.

    See `libra.dispatch.scheduling.send_window`.
    """

    lease_seconds: Seconds = 15.0
    """A replica that stops renewing its lease of a run loses the run after this time."""

    wake_seconds: Seconds = 1.0
    """Progress is polled at this interval when no event announces any."""

    quiet_seconds: Seconds = 20.0
    """Trials are sent again when no verdict has come for this long and no stage has work for their model."""

    patience_seconds: Seconds = 900.0
    """Trials are sent again when no verdict has come for this long, even if the queues are not idle."""

    sweeps: Count = 3
    """After this many consecutive sweeps without a verdict, the missing trials are declared FAILED."""
