"""One completion on its way, with all that its route through gateway needs."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Self

from ulid import ULID

from libra.gateway.adjustments.learned import LearnedAdjustments, RequestAdjuster
from libra.gateway.budget.account import BudgetAccount
from libra.gateway.completion.key import completion_id
from libra.gateway.completion.lookup import Lookup
from libra.gateway.limits.admission_queue import Lane
from libra.gateway.model_channel import ModelChannel
from libra.gateway.provider.request import CompletionRequest
from libra.gateway.provider.retry import RetryState
from libra.gateway.provider.streaming.text_relay import TextRelay
from libra.v1.completion_pb2 import Adjustment, Completion


@dataclass(frozen=True, slots=True)
class Patience:
    """The time that a caller waits for a parked model."""

    since: float = -math.inf
    """Start of its run, by the event loop's clock: the model's time to recover counts from then at the earliest."""

    max_park_seconds: float = math.inf
    """After this time, the caller has to repeat the request."""

    @classmethod
    def of_run(cls, run: str) -> Self:
        """Return the patience of a run's trials; the id of the run contains the time of its creation."""
        try:
            age_seconds = time.time() - ULID.from_str(run).timestamp
        except ValueError:
            return cls()
        return cls(since=asyncio.get_running_loop().time() - age_seconds)


class CompletionJob:
    """Carries a request to its completion. Callers with equal requests at the same time wait for the same job."""

    __slots__ = (
        "account",
        "adjuster",
        "channel",
        "has_answer",
        "held_bytes",
        "is_awaited",
        "is_paid",
        "key",
        "lane",
        "lookup",
        "max_park_seconds",
        "relay",
        "request",
        "retries",
        "since",
        "task",
        "waiters",
    )

    task: asyncio.Task[Completion]
    """Set when the job starts."""

    def __init__(
        self,
        key: str,
        request: CompletionRequest,
        channel: ModelChannel,
        lane: Lane,
        lookup: Lookup,
        learned: LearnedAdjustments | None = None,
    ) -> None:
        self.key, self.request, self.channel, self.lane, self.lookup = key, request, channel, lane, lookup
        self.adjuster = RequestAdjuster(learned or LearnedAdjustments())
        self.retries: RetryState | None = None
        """Set by the first request; an adjusted request goes on with it."""
        self.waiters = 0
        """Callers that wait for the completion."""
        self.held_bytes = 0
        """Bytes that `AnswerMemory` counts for the job."""
        self.is_awaited = False
        """Whether `AnswerMemory` has admitted the job's request, and there is no answer yet."""
        self.is_paid = False
        """Whether a request is in flight, or was answered and the answer is not stored yet. The job must then not be
        cancelled."""

        self.account: BudgetAccount | None = None
        """The account that pays for the requests; None: nothing limits the spending."""

        self.relay: TextRelay | None = None
        """Takes the text of the answer while it arrives, for callers that show it at once."""

        self.has_answer = False
        """Whether the request was answered; the answer is stored even if nobody wants it any more."""

        self.since, self.max_park_seconds = -math.inf, 0.0

    def extend_patience(self, patience: Patience) -> None:
        """Wait for a parked model at least as long as one more caller does."""
        self.since = max(self.since, patience.since)
        self.max_park_seconds = max(self.max_park_seconds, patience.max_park_seconds)

    @property
    def is_abandoned(self) -> bool:
        """Whether no caller waits any more. The job then ends, unless it is paid."""
        return not self.waiters

    def adjust(self, adjustment: Adjustment) -> bool:
        """Change the request, and thereby its key, as the endpoint wants; return False if that was tried before."""
        adjusted = self.adjuster.adjust(self.request, adjustment)
        if adjusted is None:
            return False
        self.request, self.key = adjusted, completion_id(adjusted)
        self.lookup = self.lookup.for_key(self.key)
        return True

    def find(self) -> Awaitable[Completion | None]:
        """Return the completion if the store has it. Raises Unavailable."""
        return self.lookup.find(self.key)

    def find_again(self) -> Awaitable[Completion | None]:
        """Return the completion if the store had it at most three seconds ago. Raises Unavailable."""
        return self.lookup.find_again(self.key)
