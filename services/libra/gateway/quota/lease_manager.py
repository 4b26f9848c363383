"""The holdings of all lines: each begins with its line, and ends when nothing of it is held."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from libra.bus.kv_bucket import KeyValueBucket
from libra.bus.nats_bus import NatsBus
from libra.bus.streams import GRANTS, event_grants
from libra.gateway.model_channel import ModelChannel
from libra.gateway.quota.lease_renewer import LeaseRenewer, Pace
from libra.v1.model_pb2 import Provider

LEAVE_SECONDS = 2.0
CANCEL_AGAIN_SECONDS = 0.1


class LeaseManager:
    """Takes up every line whose model is shared with other replicas; the limits of a scripted model are each process's own."""

    def __init__(self, bus: NatsBus, pace: Pace) -> None:
        self._bus, self._pace = bus, pace
        self._ledgers = KeyValueBucket(bus, GRANTS)
        self._holdings: dict[ModelChannel, tuple[LeaseRenewer, asyncio.Task[None]]] = {}
        self._listening: asyncio.Task[None] | None = None

    def take_up(self, line: ModelChannel) -> None:
        """Let the line ask no more than it is granted."""
        if line.model.provider == Provider.PROVIDER_SCRIPTED:
            return
        holding = LeaseRenewer(line, self._ledgers, self._pace, self._tell)
        task = asyncio.create_task(holding.keep(), name=f"grants of {line.model.name}")
        self._holdings[line] = holding, task
        self._listening = self._listening or asyncio.create_task(self._listen(), name="grants of others")

    def let_go(self, line: ModelChannel) -> None:
        """Give back what the line holds, as it comes free."""
        if line in self._holdings:
            self._holdings[line][0].over.set()

    def check(self) -> None:
        """Raise what a holding died of; forget those that are over."""
        tasks = [self._listening] if self._listening else []
        for task in [*tasks, *(task for _, task in self._holdings.values())]:
            if task.done():
                task.result()
        self._holdings = {line: held for line, held in self._holdings.items() if not held[1].done()}

    async def close(self) -> None:
        """Give everything back: no request is under way any more."""
        tasks = [task for _, task in self._holdings.values()]
        if self._listening:
            tasks.append(self._listening)
        await end(tasks)
        leaving = [asyncio.create_task(holding.leave()) for holding, _ in self._holdings.values()]
        if leaving:
            _, late = await asyncio.wait(leaving, timeout=LEAVE_SECONDS)
            for task in late:
                task.cancel()

    async def _tell(self, model: str, name: str) -> None:
        await self._bus.signal(event_grants(model), name.encode())

    async def _listen(self) -> None:
        async for subject, name in self._bus.listen(event_grants("*")):
            for line, (holding, _) in self._holdings.items():
                if subject == event_grants(line.model.name) and name != holding.name.encode():
                    holding.nudge.set()


async def end(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel the tasks until they have ended: a cancel that meets an answer in `asyncio.wait_for` is lost (before Python 3.12)."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=CANCEL_AGAIN_SECONDS)
