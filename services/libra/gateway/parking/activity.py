"""Counts one model's requests at this replica: errors of the last ten minutes, answers, and trials by run."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from libra.gateway.provider.result import BlockCause, ProviderAnswer, ProviderResult
from libra.v1.completion_pb2 import Completion

ERROR_SECONDS = 600.0
STEP_SECONDS = 10.0
"""Errors are counted in steps of this length, so that the number of counts is bounded."""

MAX_RUNS = 64
"""Runs whose answered trials are counted; beyond it the oldest is forgotten."""


@dataclass(slots=True)
class ErrorWindow:
    """Counts errors within the last ten minutes. Times are of a monotonic clock, in seconds."""

    _steps: deque[tuple[float, int]] = field(default_factory=deque)

    def add(self, now: float) -> None:
        """Count one error."""
        if self._steps and now - self._steps[-1][0] < STEP_SECONDS:
            began, count = self._steps[-1]
            self._steps[-1] = (began, count + 1)
        else:
            self._steps.append((now, 1))

    def count(self, now: float) -> int:
        """Return the number of errors."""
        while self._steps and now - self._steps[0][0] >= ERROR_SECONDS:
            self._steps.popleft()
        return sum(count for _, count in self._steps)


class ModelActivity:
    """Records the results of one model's requests."""

    def __init__(self) -> None:
        self.last_error = ""
        self.error_at: float | None = None
        """Seconds since 1970, like `answer_at`."""

        self.answer_at: float | None = None
        self.answered: OrderedDict[str, int] = OrderedDict()
        """By run, how many of its trials were answered or have failed."""

        self._errors = ErrorWindow()

    def record(self, result: ProviderResult) -> None:
        """Count the result of one request."""
        if isinstance(result, ProviderAnswer):
            self.answer_at = time.time()
            return
        if result.block is BlockCause.CEILING:
            return  # no request was made, and the endpoint has no fault
        self.last_error, self.error_at = result.reason, time.time()
        self._errors.add(time.monotonic())

    def answer_counter(self, run: str, also: Callable[[], None]) -> Callable[[asyncio.Task[Completion]], None]:
        """Return what is called with the task of each trial of a run as it ends; it calls `also` too."""

        def on_answer(task: asyncio.Task[Completion]) -> None:
            also()
            if not task.cancelled() and task.exception() is None:
                self._count_answered(run)

        return on_answer

    def _count_answered(self, run: str) -> None:
        self.answered[run] = self.answered.get(run, 0) + 1
        if len(self.answered) > MAX_RUNS:
            self.answered.popitem(last=False)

    @property
    def errors(self) -> int:
        """Errors of the last ten minutes."""
        return self._errors.count(time.monotonic())
