"""Errors of a handler: Retry, Reject, or `libra.core.errors.Unavailable`. Any other exception is a bug."""

from __future__ import annotations


class Retry(Exception):
    """The batch could not be handled now; redeliver it after `after_seconds`, or after the policy's delay if None."""

    def __init__(self, reason: str, *, after_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.after_seconds = after_seconds


class Reject(Exception):
    """The batch can never succeed; dead-letter it."""


class Requeued(Exception):
    """The message was published again at the end of its queue; the old delivery only has to be acknowledged."""


class Stopped(Exception):
    """The stage was told to stop while the batch waited; hand the message back to the queue."""


class DeadlineExceeded(Exception):
    """A handler did not return within `Policy.deadline_seconds`."""
