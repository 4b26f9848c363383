"""The sums of one cell: counts by outcome, and the scores and their squares added up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from libra.core.outcome_names import OUTCOMES, total_of
from libra.v1.verdict_pb2 import Outcome

COUNT_FIELDS: Mapping[int, str] = {outcome: name for name, outcome in OUTCOMES.items()}
"""The field of a cell that counts each outcome."""

MEAN_OUTCOMES: frozenset[int] = frozenset({Outcome.OUTCOME_SCORED, Outcome.OUTCOME_FILTERED})
"""The outcomes whose scores count in a mean."""

SUM_FIELDS = ("n", "sum", "sum_squares", *OUTCOMES)


@dataclass(slots=True)
class CellSums:
    """Sums over verdicts: the scores that count in the mean, their squares, and the number of each outcome."""

    n: int = 0
    """Verdicts that count in the mean: scored and filtered."""

    sum: float = 0.0
    sum_squares: float = 0.0
    scored: int = 0
    filtered: int = 0
    unjudged: int = 0
    failed: int = 0

    def add(self, outcome: int, score: float) -> None:
        """Add one verdict. Raises KeyError for an unspecified outcome."""
        self._add(outcome, 1, score, score * score)

    @property
    def total(self) -> int:
        """Verdicts of any outcome."""
        return total_of(self)

    def to_document(self) -> dict[str, float]:
        """Return the sums by field name, as a cell's document stores them."""
        return {name: getattr(self, name) for name in SUM_FIELDS}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Return the sums that a document stores."""
        return cls(**{name: document.get(name, 0) for name in SUM_FIELDS})

    @classmethod
    def from_outcomes(cls, documents: Iterable[Mapping[str, Any]]) -> Self:
        """Return the total of documents that each hold one outcome as `_id`, and its n, sum and sum_squares."""
        total = cls()
        for document in documents:
            total._add(document["_id"], document["n"], document["sum"], document["sum_squares"])
        return total

    def _add(self, outcome: int, count: int, score_sum: float, sum_squares: float) -> None:
        name = COUNT_FIELDS[outcome]
        setattr(self, name, getattr(self, name) + count)
        if outcome in MEAN_OUTCOMES:
            self.n += count
            self.sum += score_sum
            self.sum_squares += sum_squares
