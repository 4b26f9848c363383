"""Reject poison messages: a message that crashes its process is never seen to fail; only the queue's count shows it."""

from __future__ import annotations

from libra.stage.bus import Delivery
from libra.stage.errors import Reject
from libra.stage.policy import Policy


def reject_poison(delivery: Delivery, policy: Policy) -> None:
    """Raise Reject if the message was delivered more often than the policy allows and was never settled."""
    if delivery.attempt > max(policy.deliveries, policy.attempts):
        raise Reject(
            f"it was delivered {delivery.attempt} times and never settled: either its handling crashes the process, "
            "or it fails on one replica after the other; the logs show which"
        )
