"""Settings of the judge service, read from LIBRA_JUDGE_*."""

from __future__ import annotations

from dataclasses import dataclass

from libra.core.settings import Count, Seconds, Target


@dataclass(frozen=True, slots=True)
class Settings:
    """Address and timeout of the gateway, and limits of the judge stage."""

    gateway_address: Target = "127.0.0.1:50053"
    """Address of the gateway."""

    gateway_timeout_seconds: Seconds = 600.0
    """Timeout of one request of up to 64 conversations: a judge model on two cores writes about 20 tokens a second."""

    slots: Count = 16
    """Batches that are judged at the same time. The slots are for batches that wait for a judge model."""

    look_seconds: Seconds = 2.0
    """Interval between checks whether a run has ended. After a cancel, only requests under way still cost money."""
