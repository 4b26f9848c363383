"""What a stage writes beside its outputs: dead letters, and a message that goes to the end of its own queue.

Pure: what to publish, under which key and headers.
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


def first_key(delivery: Delivery) -> str:
    """Return the key that the message had before it was renewed, if it was."""
    return delivery.headers.get(KEY) or delivery.key


def failures_carried(delivery: Delivery) -> int:
    """Return how often the message had failed when it was renewed; 0 if it never was."""
    return _number(delivery, FAILURES)


def dead_letter(stage: str, delivery: Delivery, reason: str, failures: int) -> tuple[Outgoing, dict[str, str]]:
    """Return what sets the message aside: its bytes, and why, from where, and after how many attempts."""
    key = first_key(delivery)
    headers = {
        REASON: reason[:MAX_REASON_CHARACTERS],
        SUBJECT: delivery.subject,
        KEY: key,
        ATTEMPTS: str(max(failures, delivery.attempt)),
    }
    return Outgoing(f"dead.{stage}", f"dead/{stage}/{key}", delivery.data), headers


def renewal(delivery: Delivery, failures: int) -> tuple[Outgoing, dict[str, str]]:
    """Return the same message as a new one, whose deliveries are counted from 1 and whose failures are not forgotten."""
    key, number = first_key(delivery), _number(delivery, RENEWALS) + 1
    headers = {**delivery.headers, KEY: key, RENEWALS: str(number), FAILURES: str(failures)}
    return Outgoing(delivery.subject, f"{key}/renewed/{number}", delivery.data), headers


def _number(delivery: Delivery, header: str) -> int:
    text = delivery.headers.get(header, "")
    return int(text) if text.isdecimal() else 0
