"""Prefetch: a replica takes no more trials from the queue than one model can serve."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence

from libra.stage.batch import MAX_TRIALS
from libra.stage.bus import Bus, Delivery, Outgoing

NEWEST_WEIGHT = 0.2
"""Weight of the newest batch in the moving average of batch sizes."""

EMPTY_PULL_SECONDS = 2.0
"""A pull while nothing is missing returns after this time, like a pull from an empty queue, so that the runner can
stop."""


class UnansweredTrials:
    """Counts the trials of one batch that have no answer yet."""

    def __init__(self, trials: int, budget: TrialBudget) -> None:
        self.count = trials
        self._budget = budget

    def on_answer(self, _: object = None) -> None:
        """Record an answer. The argument is the task that ended, as `asyncio.Task.add_done_callback` passes it."""
        self.count -= 1
        self._budget.changed.set()


class TrialBudget:
    """Counts trials without an answer, rather than batches: a batch holds 64 trials or one.

    A model is kept busy by the trials that may be in flight and as many again (at least one batch) that are ready to
    take their place while the next batches arrive. More trials would only be kept from other replicas.
    """

    def __init__(self, in_flight: int) -> None:
        """`in_flight` is the number of requests that this replica may have in flight."""
        self.changed = asyncio.Event()
        """Set when the result of `missing_batches` may have changed."""
        self.is_memory_full: Callable[[], bool] = lambda: False
        """Whether answers take too much memory to take another batch."""
        self._in_flight = in_flight
        self._batches: set[UnansweredTrials] = set()
        self._mean_size = float(MAX_TRIALS)

    @property
    def target(self) -> int:
        """Unanswered trials that keep the model busy."""
        return self._in_flight + max(self._in_flight, MAX_TRIALS)

    @property
    def unanswered(self) -> int:
        """Trials of this replica that have no answer yet."""
        return sum(batch.count for batch in self._batches)

    def resize(self, in_flight: int) -> None:
        """Change how many requests may be in flight."""
        self._in_flight = in_flight
        self.changed.set()

    def add_batch(self, trials: int) -> UnansweredTrials:
        """Count the trials of a batch whose handling begins."""
        batch = UnansweredTrials(trials, self)
        self._batches.add(batch)
        self._mean_size += NEWEST_WEIGHT * (trials - self._mean_size)
        return batch

    def remove_batch(self, batch: UnansweredTrials) -> None:
        """Stop counting a batch whose handling ended, whatever the result."""
        self._batches.discard(batch)
        self.changed.set()

    def missing_batches(self) -> int:
        """Return how many more batches keep the model busy."""
        if self.is_memory_full():
            return 0
        missing = self.target - self.unanswered
        return max(1, round(missing / max(self._mean_size, 1.0))) if missing > 0 else 0


class PrefetchingBus:
    """Implements `libra.stage.bus.Bus` over another bus, and pulls as many batches as a trial budget misses."""

    def __init__(self, bus: Bus, trial_budget: TrialBudget) -> None:
        self._bus, self._trial_budget = bus, trial_budget
        self.ack_wait_seconds = bus.ack_wait_seconds

    async def pull(self, consumer: str, limit: int) -> Sequence[Delivery]:
        """Return up to `limit` messages once batches are missing; none if no batch is missing within 2 seconds."""
        # The batches of the last pull are counted only after their tasks have begun.
        await asyncio.sleep(0)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(EMPTY_PULL_SECONDS):
                await self._wait_for_missing()
        missing = self._trial_budget.missing_batches()
        return await self._bus.pull(consumer, min(limit, missing)) if missing else []

    async def publish(self, message: Outgoing, headers: Mapping[str, str]) -> None:
        """Publish the message on the other bus."""
        await self._bus.publish(message, headers)

    async def _wait_for_missing(self) -> None:
        while not self._trial_budget.missing_batches():
            self._trial_budget.changed.clear()
            await self._trial_budget.changed.wait()
