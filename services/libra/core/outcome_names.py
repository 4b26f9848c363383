"""Names and sums of trial outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from libra.v1.verdict_pb2 import Outcome

PREFIX = "OUTCOME_"

OUTCOMES: Mapping[str, Outcome.ValueType] = {
    name.removeprefix(PREFIX).lower(): number for name, number in Outcome.items() if number
}
"""Every outcome by its name: scored, filtered, unjudged, failed."""


class OutcomeCounter(Protocol):
    """Anything that counts trials by outcome, such as the message `OutcomeCounts` or a cell."""

    @property
    def scored(self) -> int:
        """Trials with a score."""
        ...

    @property
    def filtered(self) -> int:
        """Trials that the provider's filter blocked."""
        ...

    @property
    def unjudged(self) -> int:
        """Trials that the judge could not decide."""
        ...

    @property
    def failed(self) -> int:
        """Trials without a completion."""
        ...


def outcome_name(outcome: int) -> str:
    """Return the name of an outcome, for instance `scored`."""
    return Outcome.Name(Outcome.ValueType(outcome)).removeprefix(PREFIX).lower()


def total_of(counts: OutcomeCounter) -> int:
    """Return the number of trials of any outcome."""
    return counts.scored + counts.filtered + counts.unjudged + counts.failed
