"""The sums of one cell: what many verdicts amount to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from libra.contracts.outcomes import OUTCOMES, total_of
from libra.v1.verdict_pb2 import Outcome

COUNT_FIELDS: dict[int, str] = {
    Outcome.OUTCOME_SCORED: "scored",
    Outcome.OUTCOME_FILTERED: "filtered",
    Outcome.OUTCOME_UNJUDGED: "unjudged",
    Outcome.OUTCOME_FAILED: "failed",
}
"""The count that each outcome adds to."""

MEAN_OUTCOMES: frozenset[int] = frozenset({Outcome.OUTCOME_SCORED, Outcome.OUTCOME_FILTERED})


@dataclass(slots=True)
class CellSums:
    """Sums over verdicts: of the scores in the mean, of their squares, and how many ended how."""

    n: int = 0
    """Verdicts in the mean: scored and filtered."""

    sum: float = 0.0
    sum_squares: float = 0.0
    scored: int = 0
    filtered: int = 0
    unjudged: int = 0
    failed: int = 0

    def add(self, outcome: int, score: float) -> None:
        """Take in one verdict. KeyError for an outcome that is none."""
        name = COUNT_FIELDS[outcome]
        setattr(self, name, getattr(self, name) + 1)
        if outcome in MEAN_OUTCOMES:
            self.n += 1
            self.sum += score
            self.sum_squares += score * score

    @property
    def total(self) -> int:
        """Verdicts of any outcome."""
        return total_of(self)

    def document(self) -> dict[str, float]:
        """Return the sums by name, as a cell keeps them."""
        return {name: getattr(self, name) for name in SUM_FIELDS}


SUM_FIELDS = ("n", "sum", "sum_squares", *OUTCOMES)


def gathered(outcomes: Iterable[Mapping[str, Any]]) -> CellSums:
    """Return the sums over all outcomes of documents with one outcome's `_id`, n, sum and sum_squares each."""
    total = CellSums()
    for one in outcomes:
        name = COUNT_FIELDS[one["_id"]]
        setattr(total, name, getattr(total, name) + one["n"])
        if one["_id"] in MEAN_OUTCOMES:
            total.n += one["n"]
            total.sum += one["sum"]
            total.sum_squares += one["sum_squares"]
    return total


def read(document: Mapping[str, Any]) -> CellSums:
    """Return the sums that a document holds."""
    return CellSums(**{name: document.get(name, 0) for name in SUM_FIELDS})
