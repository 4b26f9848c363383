"""The two words a handler has for failure; whatever else it raises is a bug."""

from __future__ import annotations


class Retry(Exception):
    """The handler could not finish now; give it the message again, after `after_seconds` if it says so."""

    def __init__(self, reason: str, *, after_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.after_seconds = after_seconds


class Reject(Exception):
    """The message can never succeed; set it aside for a person to read."""
