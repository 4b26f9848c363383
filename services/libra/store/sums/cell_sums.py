"""The sums of one cell: counts by outcome and by response, and the scores and their squares added up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from libra.core.outcome_names import OUTCOMES, total_of
from libra.core.response_names import COUNTED_RESPONSES
from libra.store.sums.label_sums import LabelSums, label_increments, merge_labels
from libra.v1.verdict_pb2 import Outcome

COUNT_FIELDS: Mapping[int, str] = {outcome: name for name, outcome in OUTCOMES.items()}
"""The field of a cell that counts each outcome."""

MEAN_OUTCOMES: frozenset[int] = frozenset({Outcome.OUTCOME_SCORED, Outcome.OUTCOME_FILTERED})
"""The outcomes whose scores count in a mean."""

FILTERED: int = Outcome.OUTCOME_FILTERED
"""The outcome whose scores no judge gave. Stored, since the attribute of an enumeration takes 4 us."""

SUM_FIELDS = ("n", "sum", "sum_squares", *OUTCOMES)

RESPONSE_COUNTS = ("classified", *COUNTED_RESPONSES.values())
"""Fields that cells of earlier versions lack; a count of 0 is not stored."""

FILTERED_SUMS = ("filtered_n", "filtered_sum")
"""Fields that cells of earlier versions lack; a sum of 0 is not stored."""

ALL_FIELDS = (*SUM_FIELDS, *RESPONSE_COUNTS, *FILTERED_SUMS)


@dataclass(slots=True)
class CellSums:
    """Sums over verdicts: the scores that count in the mean, their squares, and the number of each outcome.

    What came back is counted too, except ordinary answers and failures.
    """

    n: int = 0
    """Verdicts that count in the mean: scored and filtered."""

    sum: float = 0.0
    sum_squares: float = 0.0
    scored: int = 0
    filtered: int = 0
    unjudged: int = 0
    failed: int = 0

    classified: int = 0
    """Verdicts that the following counts take into account: fewer than all if an earlier version wrote some."""

    refused_by_model: int = 0
    blocked_input: int = 0
    blocked_output: int = 0
    truncated: int = 0
    tool_calls: int = 0

    filtered_n: int = 0
    """FILTERED verdicts that `filtered_sum` takes into account: fewer than all if an earlier version wrote some."""

    filtered_sum: float = 0.0
    """The sum of the scores of FILTERED verdicts, which no judge gave."""

    labels: dict[str, LabelSums] = field(default_factory=dict)
    """By gold label, if the score of the task is balanced over it."""

    def add(self, outcome: int, score: float, response: str = "", label: str = "") -> None:
        """Add one verdict, with its field `response` and its gold label. Raises KeyError for an unspecified outcome."""
        self._add(outcome, 1, score, score * score, label)
        self.add_responses(response, 1)

    def add_responses(self, response: str, count: int) -> None:
        """Count verdicts with this class of response."""
        self.classified += count
        if name := COUNTED_RESPONSES.get(response):
            setattr(self, name, getattr(self, name) + count)

    def negated(self) -> Self:
        """Return the sums that take these ones away."""
        return type(self)(**{name: -getattr(self, name) for name in ALL_FIELDS})

    @property
    def total(self) -> int:
        """Verdicts of any outcome."""
        return total_of(self)

    def to_increments(self) -> dict[str, float]:
        """Return what a cell's document is incremented by: the sums by the paths of its fields."""
        counted = {name: value for name in (*RESPONSE_COUNTS, *FILTERED_SUMS) if (value := getattr(self, name))}
        increments = {name: getattr(self, name) for name in SUM_FIELDS} | counted
        return increments | label_increments(self.labels) if self.labels else increments

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Return the sums over the buckets of a cell; `labels` is a list with those of each bucket."""
        sums = {name: document.get(name, 0) for name in ALL_FIELDS}
        return cls(**sums, labels=merge_labels(document.get("labels", ())))

    @classmethod
    def from_outcomes(cls, documents: Iterable[Mapping[str, Any]]) -> Self:
        """Return the total of documents with their n, sum and sum_squares; `_id` holds outcome, response and label."""
        total = cls()
        for document in documents:
            key, count = document["_id"], document["n"]
            total._add(key["outcome"], count, document["sum"], document["sum_squares"], key.get("label", ""))
            total.add_responses(key.get("response", ""), count)
        return total

    def _add(self, outcome: int, count: int, score_sum: float, sum_squares: float, label: str) -> None:
        name = COUNT_FIELDS[outcome]
        setattr(self, name, getattr(self, name) + count)
        if outcome not in MEAN_OUTCOMES:
            return
        self.n += count
        self.sum += score_sum
        self.sum_squares += sum_squares
        is_filtered = outcome == FILTERED
        if is_filtered:
            self.filtered_n += count
            self.filtered_sum += score_sum
        if label:
            self.labels.setdefault(label, LabelSums()).add(count, score_sum, sum_squares, is_filtered=is_filtered)
