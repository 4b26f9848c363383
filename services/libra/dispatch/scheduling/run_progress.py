"""Counts how many trials of a run have a verdict, by model and by outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from libra.core.outcome_names import OUTCOMES, total_of
from libra.dispatch.spec.run_spec import total_trials
from libra.store.runs import RunRecord
from libra.store.sums.cells import CellCollection
from libra.v1.run_pb2 import OutcomeCounts


@dataclass(frozen=True, slots=True)
class RunProgress:
    """The counts of one run at one moment."""

    record: RunRecord

    counts: Mapping[str, OutcomeCounts]
    """By model; a model without a verdict is absent."""

    @classmethod
    async def load(cls, cells: CellCollection, record: RunRecord) -> RunProgress:
        """Sum the cells of the run."""
        return cls(record, await cells.count_outcomes(record.run.id))

    @property
    def trials(self) -> int:
        """Trials of all models together."""
        return total_trials(self.record.sections) * len(self.record.run.spec.models)

    @property
    def is_complete(self) -> bool:
        """Whether every trial has a verdict."""
        per_model = total_trials(self.record.sections)
        return all(self.settled(model) >= per_model for model in self.record.run.spec.models)

    @property
    def settled_ratio(self) -> float:
        """The part of the trials that have a verdict."""
        return total_of(self.total_counts()) / self.trials if self.trials else 0.0

    def settled(self, model: str) -> int:
        """Return how many trials of one model have a verdict."""
        return total_of(self.counts[model]) if model in self.counts else 0

    def counts_of(self, model: str) -> OutcomeCounts:
        """Return the counts of one model."""
        return self.counts.get(model, OutcomeCounts())

    def total_counts(self) -> OutcomeCounts:
        """Return the counts of all models together."""
        return OutcomeCounts(
            **{name: sum(getattr(counts, name) for counts in self.counts.values()) for name in OUTCOMES}
        )
