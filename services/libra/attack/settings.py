"""The settings of the attack service, from environment variables LIBRA_ATTACK_*."""

from __future__ import annotations

from dataclasses import dataclass

from libra.core.settings import Count, Seconds, Target


@dataclass(frozen=True, slots=True)
class Settings:
    """Concurrency of the stages, and how to reach the gateway."""

    slots: Count = 8
    """Batches that the attack stage processes concurrently. Its work needs only the processor; more slots than are
    needed to hide the queue's round trip would only keep work from other replicas."""

    writing_slots: Count = 16
    """Batches that the model stage processes concurrently: 128 multi-turn trials, or up to 1,024 others."""

    gateway_address: Target = "127.0.0.1:50053"
    """Address of the gateway's gRPC server."""

    gateway_timeout_seconds: Seconds = 1_200.0
    """Limit for one question, including its wait in the gateway behind earlier questions. Questions alternate with the
    batches that a gateway holds: at 4 requests in flight and 30 s per answer, these batches take 510 s."""

    questions_at_once: Count = 64
    """Questions that are sent to the gateway concurrently. The others wait here, where no timeout runs. At 4 requests
    in flight and 30 s per answer, 64 questions wait 480 s for each other."""

    look_seconds: Seconds = 2.0
    """Interval of the check whether a run has ended."""
