"""Remembers which service is away and since when, so that a page can say so and show the rest."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Generic, TypeVar

from libra.core.errors import Unavailable

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Absence:
    """A service that does not answer."""

    service: str
    since: datetime
    """The time of the first call without an answer."""

    reason: str

    @property
    def sentence(self) -> str:
        """Says which service is away and since when."""
        return f"The service {self.service} has not answered since {self.since:%Y-%m-%d %H:%M:%S} UTC."


class ServiceAway(Unavailable):
    """A service does not answer; `absence` says which and since when."""

    def __init__(self, absence: Absence) -> None:
        super().__init__(f"{absence.sentence} {absence.reason}")
        self.absence = absence


@dataclass(frozen=True, slots=True)
class Part(Generic[Value]):
    """A part of a page: its value, or why it is missing."""

    value: Value | None = None
    absence: Absence | None = None


@dataclass(slots=True)
class Outages:
    """Start of the outage of each service that is away."""

    _since: dict[str, datetime] = field(default_factory=dict)

    def on_reply(self, service: str) -> None:
        """Record that the service answers."""
        self._since.pop(service, None)

    def on_failure(self, service: str, reason: str) -> Absence:
        """Record a call without an answer, and return since when there has been none."""
        return Absence(service, self._since.setdefault(service, datetime.now(UTC)), reason)
