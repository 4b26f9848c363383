"""The types of the events that webhooks deliver, by CloudEvents 1.0."""

from __future__ import annotations

RUN_FINISHED = "libra.run.finished"
"""Every trial has a verdict, and at least one has a score."""

RUN_FAILED = "libra.run.failed"
"""Every trial has a verdict, and none has a score."""

RUN_CANCELLED = "libra.run.cancelled"
FIRING_FAILED = "libra.firing.failed"
"""A schedule was due, and its template was refused."""

GATE_FAILED = "libra.gate.failed"
"""A gate answered NO-GO."""

BUDGET_REACHED = "libra.budget.reached"
AUDIT_FAILED = "libra.audit.failed"
TEST = "libra.webhook.test"
"""Sent by TestWebhook, to any webhook."""

EVENT_TYPES = (
    *(RUN_FINISHED, RUN_FAILED, RUN_CANCELLED, FIRING_FAILED),
    *(GATE_FAILED, BUDGET_REACHED, AUDIT_FAILED),
)
"""The types that a webhook may select."""
