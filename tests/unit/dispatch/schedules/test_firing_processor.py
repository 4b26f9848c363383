"""Two replicas that process the firings of one schedule at the same moment start one run at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

import pytest
from prometheus_client import CollectorRegistry
from tests.simulation.schedule_simulation import RunCreator

from libra.dispatch.schedules.firing_processor import FiringProcessor
from libra.store.continuous.schedules import ScheduleRecord
from libra.telemetry.metrics import Metrics
from libra.testing.memory import MemoryServer, MemoryStore
from libra.testing.virtual_time import simulate
from libra.v1.run_pb2 import RunSpec
from libra.v1.schedule_pb2 import Firing, FiringState, OverlapPolicy, Schedule

T = TypeVar("T")

PENDING, STARTED = FiringState.FIRING_STATE_PENDING, FiringState.FIRING_STATE_STARTED


class PausedTransport:
    """Waits for `go_on` before the call with this number."""

    def __init__(self, call: int) -> None:
        self._calls_left = call
        self.is_waiting, self.go_on = asyncio.Event(), asyncio.Event()

    async def __call__(self, exchange: Callable[[], Awaitable[T]]) -> T:
        self._calls_left -= 1
        if self._calls_left == 0:
            self.is_waiting.set()
            await self.go_on.wait()
        return await exchange()


def firing(name: str, hour: int) -> Firing:
    made = Firing(id=name, schedule="s", schedule_id="id", state=PENDING)
    made.time.FromDatetime(datetime(2026, 1, 1, hour, tzinfo=UTC))
    return made


def processor(store: MemoryStore) -> FiringProcessor:
    return FiringProcessor(store, RunCreator(store).create, Metrics(CollectorRegistry()))  # type: ignore[arg-type]  # in memory


@pytest.mark.parametrize("call", range(1, 9))
def test_a_firing_that_arrives_between_two_calls_of_a_replica_does_not_run_beside_another(call: int) -> None:
    """One replica stops before a call; meanwhile an earlier event arrives, and another replica starts its run."""

    async def scenario() -> None:
        server = MemoryServer()
        store, transport = MemoryStore(server), PausedTransport(call)
        server.models["m"] = {"_id": "m", "name": "m", "create_time": server.now()}
        template, queue = RunSpec(models=["m"], tasks=["*"]), OverlapPolicy.OVERLAP_POLICY_QUEUE
        await store.schedules.insert(ScheduleRecord(Schedule(name="s", id="id", template=template, overlap=queue)))
        await store.firings.insert(firing("later", 2))
        slow = asyncio.create_task(processor(MemoryStore(server, transport=transport)).process_open())
        waiting = asyncio.create_task(transport.is_waiting.wait())
        await asyncio.wait([slow, waiting], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        await store.firings.insert(firing("earlier", 1))
        await processor(store).process_open()
        transport.go_on.set()
        await slow
        for _ in range(3):
            await processor(store).process_open()
        firings = await store.firings.list(limit=9)
        assert sorted(each.state for each in firings) == [PENDING, STARTED]
        assert len(server.runs) == 1

    simulate(scenario())
