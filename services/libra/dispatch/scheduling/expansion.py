"""Expand a run into its trials without holding them all in memory.

For each model the trials of a run have one order: section after section (a section is one task under one attack), in a
section sample after sample, and for each sample all epochs. A cursor is a position in this order: every trial before it
has been sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from libra.core.errors import NotFound
from libra.dispatch.scheduling.trial_source import TrialKey
from libra.dispatch.spec.sample_selection import select_samples
from libra.store.runs import RunSection
from libra.store.tasks import TaskCollection
from libra.v1.run_pb2 import Run


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive trials of one section: positions `start` up to, not including, `stop` within the section."""

    section: RunSection
    start: int
    stop: int


def next_chunk(sections: Sequence[RunSection], cursor: int, max_trials: int) -> Chunk | None:
    """Return up to `max_trials` trials after the cursor, all of one section; None after the last trial."""
    for section in sections:
        if cursor < section.trials:
            return Chunk(section, cursor, min(cursor + max_trials, section.trials))
        cursor -= section.trials
    return None


def sent_trials(sections: Sequence[RunSection], cursor: int) -> Iterator[tuple[RunSection, int]]:
    """Yield each section of which trials have been sent, with their number."""
    for section in sections:
        if cursor <= 0:
            return
        yield section, min(cursor, section.trials)
        cursor -= section.trials


@dataclass(frozen=True, slots=True)
class TrialGrid:
    """Maps each position within a section to its (sample, epoch)."""

    ordinals: Sequence[int]
    epochs: int

    @classmethod
    def for_task(cls, task: str, size: int, *, samples_per_task: int, epochs: int, seed: int) -> TrialGrid:
        """Return the grid of a task with `size` samples; 0 `samples_per_task` selects all of them."""
        return cls(select_samples(task, size, samples_per_task, seed), epochs)

    def __len__(self) -> int:
        return len(self.ordinals) * self.epochs

    def trial_at(self, position: int) -> TrialKey:
        """Return the sample's ordinal and the epoch of one trial."""
        return self.ordinals[position // self.epochs], position % self.epochs

    def trials_between(self, start: int, stop: int) -> list[TrialKey]:
        """Return the trials at the positions from `start` up to, not including, `stop`."""
        return [self.trial_at(position) for position in range(start, stop)]


class TrialExpander:
    """Builds the grids of a run's sections; reads the size of each task once."""

    def __init__(self, tasks: TaskCollection) -> None:
        self._tasks = tasks
        self._sample_counts: dict[str, int] = {}

    async def grid(self, run: Run, section: RunSection) -> TrialGrid:
        """Return the grid of one section; raise NotFound if its task has been deleted."""
        spec = run.spec
        size = await self._sample_count(section.task)
        return TrialGrid.for_task(
            section.task, size, samples_per_task=spec.samples_per_task, epochs=spec.epochs, seed=spec.seed
        )

    async def _sample_count(self, task_ref: str) -> int:
        if task_ref not in self._sample_counts:
            task = await self._tasks.get(task_ref)
            if task is None:
                raise NotFound(
                    f"the task {task_ref} was deleted while a run of it is active; import it again", field="task"
                )
            self._sample_counts[task_ref] = task.sample_count
        return self._sample_counts[task_ref]
