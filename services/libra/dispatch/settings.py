"""What dispatch can be told from outside, as LIBRA_DISPATCH_*."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """Addresses of the catalogues, and how patient dispatch is with a run."""

    attack_address: str = "127.0.0.1:50052"
    """Where the attack service answers."""

    judge_address: str = "127.0.0.1:50054"
    """Where the judge service answers."""

    window_trials: int = 4096
    """Trials in flight per (run, model), at most, and only while nearly none wait for the model: `libra.dispatch.scheduling.send_window`."""

    lease_seconds: float = 15.0
    """A run belongs to the replica that claimed it for this long after the last sign of life."""

    wake_seconds: float = 1.0
    """Progress is looked at this often when no event says that there is some."""

    quiet_seconds: float = 20.0
    """Trials are sent again when no verdict came for this long and no stage has work for their model."""

    patience_seconds: float = 900.0
    """Trials are sent again after this long without a verdict, whatever the queues say."""

    sweeps: int = 3
    """Sweeps in a row that bring no verdict; then what is missing is declared FAILED."""
