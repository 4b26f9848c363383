"""The messages that a stage publishes about a failed delivery: its dead letter, and its copy at the end of the queue.

Pure: returns the message and its headers.
"""

from __future__ import annotations

from libra.stage.bus import Delivery, Outgoing

REASON = "Libra-Reason"
SUBJECT = "Libra-Subject"
KEY = "Libra-Key"
ATTEMPTS = "Libra-Attempts"
FAILURES = "Libra-Failures"
RENEWALS = "Libra-Renewals"

MAX_REASON_CHARACTERS = 2000


def original_key(delivery: Delivery) -> str:
    """Return the key that the message was first published under, before any requeueing."""
    return delivery.headers.get(KEY) or delivery.key


def earlier_failures(delivery: Delivery) -> int:
    """Return how often the message had failed before it was requeued; 0 if it never was."""
    return _number(delivery, FAILURES)


def dead_letter(stage: str, delivery: Delivery, reason: str, failures: int) -> tuple[Outgoing, dict[str, str]]:
    """Return the dead letter of a message: its bytes, with the reason, its subject and its attempts in headers."""
    key = original_key(delivery)
    headers = {
        REASON: reason[:MAX_REASON_CHARACTERS],
        SUBJECT: delivery.subject,
        KEY: key,
        ATTEMPTS: str(max(failures, delivery.attempt)),
    }
    return Outgoing(f"dead.{stage}", f"dead/{stage}/{key}", delivery.data), headers


def requeued(delivery: Delivery, failures: int) -> tuple[Outgoing, dict[str, str]]:
    """Return the message under a new key: its deliveries are counted from 1, and its failures are carried along."""
    key, number = original_key(delivery), _number(delivery, RENEWALS) + 1
    headers = {**delivery.headers, KEY: key, RENEWALS: str(number), FAILURES: str(failures)}
    return Outgoing(delivery.subject, f"{key}/renewed/{number}", delivery.data), headers


def _number(delivery: Delivery, header: str) -> int:
    text = delivery.headers.get(header, "")
    return int(text) if text.isdecimal() else 0
