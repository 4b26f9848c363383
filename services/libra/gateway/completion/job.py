"""One completion on its way, with all that its route through gateway needs."""

from __future__ import annotations

import asyncio

from libra.gateway.completion.lookup import Lookup
from libra.gateway.limits.admission_queue import Lane
from libra.gateway.model_channel import ModelChannel
from libra.gateway.provider.request import CompletionRequest
from libra.v1.completion_pb2 import Completion


class CompletionJob:
    """Carries a request to its completion. Callers with equal requests at the same time wait for the same job."""

    __slots__ = ("channel", "is_paid", "key", "lane", "lookup", "request", "task", "waiters")

    task: asyncio.Task[Completion]
    """Set when the job starts."""

    def __init__(self, key: str, request: CompletionRequest, channel: ModelChannel, lane: Lane, lookup: Lookup) -> None:
        self.key, self.request, self.channel, self.lane, self.lookup = key, request, channel, lane, lookup
        self.waiters = 0
        """Callers that wait for the completion."""
        self.is_paid = False
        """Whether a request is in flight, or was answered and the answer is not stored yet. The job must then not be
        cancelled."""

    @property
    def is_abandoned(self) -> bool:
        """Whether no caller waits any more. The job then ends, unless it is paid."""
        return not self.waiters

    async def find(self) -> Completion | None:
        """Return the completion if the store has it. Raises Unavailable."""
        return await self.lookup.find(self.key)

    async def find_again(self) -> Completion | None:
        """Return the completion if the store had it at most three seconds ago. Raises Unavailable."""
        return await self.lookup.find_again(self.key)
