"""Replicas of dispatch that fire schedules in virtual time, and die and restart at any of their calls."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from prometheus_client import CollectorRegistry
from ulid import ULID

from libra.core.errors import Invalid
from libra.dispatch.schedules.cron import CronTimes
from libra.dispatch.schedules.schedule_worker import ScheduleWorker
from libra.store.continuous.schedules import ScheduleRecord, firing_from_document
from libra.store.runs import RunRecord, run_from_document
from libra.telemetry.metrics import Metrics
from libra.testing.killable_process import KillableProcess
from libra.testing.memory import MemoryServer, MemoryStore, StoreFaults
from libra.v1.run_pb2 import CreateRunRequest, CreateRunResponse, Run, RunSpec, RunState
from libra.v1.schedule_pb2 import Firing, FiringState, Schedule

POLL_SECONDS = 20.0
RUN_POLL_SECONDS = 5.0
SETTLE_SECONDS = 300.0


class RunCreator:
    """Creates runs as RunService does: a repeat of a request_id returns the first run, an unknown model is refused."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def create(self, request: CreateRunRequest) -> CreateRunResponse:
        if first := await self._store.runs.find_by_request_id(request.request_id):
            return CreateRunResponse(run=first.run)
        for model in request.spec.models:
            if await self._store.models.get(model) is None:
                raise Invalid(f"there is no model {model!r}", field="spec.models[0]")
        run = Run(id=str(ULID()), spec=request.spec, state=RunState.RUN_STATE_RUNNING)
        record = await self._store.runs.insert(RunRecord(run=run, sections=[], request_id=request.request_id))
        return CreateRunResponse(run=record.run)


@dataclass
class ScheduleSimulation:
    """One server, and replicas that come and go."""

    server: MemoryServer
    rng: random.Random
    faults: StoreFaults = field(default_factory=StoreFaults)
    """Of the requests during `run`."""

    replicas: list[KillableProcess] = field(default_factory=list)
    spans: dict[str, list[datetime]] = field(default_factory=dict)
    """By the id of a run, when it began and ended."""

    def __post_init__(self) -> None:
        self.store = MemoryStore(self.server)

    async def add_schedule(self, name: str, cron: str = "", zone: str = "", **fields: Any) -> Schedule:
        template = fields.pop("template", RunSpec(models=["m"], tasks=["*"]))
        schedule = Schedule(name=name, id=f"id-{name}", template=template, cron=cron, zone=zone, **fields)
        schedule.start_time.FromDatetime(self.server.now())
        if cron:
            schedule.next_time.FromDatetime(CronTimes(cron, zone).next_after(self.server.now()))
        return (await self.store.schedules.insert(ScheduleRecord(schedule))).schedule

    async def run(self, seconds: float, *, replicas: int, max_calls: int | None) -> None:
        """Let replicas work; each dies after up to `max_calls` calls and is replaced. Then one works undisturbed."""
        self.server.faults = self.faults
        keepers = [asyncio.create_task(self._keep_alive(number, max_calls)) for number in range(replicas)]
        await asyncio.sleep(seconds)
        for keeper in keepers:
            keeper.cancel()
        for replica in self.replicas:
            await self._end(replica)
        self.replicas.clear()
        self.server.faults = StoreFaults()
        await self.settle()

    async def settle(self, seconds: float = SETTLE_SECONDS) -> None:
        """Let one replica work without faults until nothing is open."""
        survivor = self._start("survivor", None)
        await asyncio.sleep(seconds)
        await self._end(survivor)

    async def end_runs(self, seconds: float) -> None:
        """End each run after about this time, for ever."""
        while True:
            await asyncio.sleep(RUN_POLL_SECONDS)
            now = self.server.now()
            for run_id, document in self.server.runs.items():
                began = self.spans.setdefault(run_id, [now])
                is_running = document["run"]["state"] == RunState.RUN_STATE_RUNNING
                if is_running and now - began[0] >= timedelta(seconds=seconds):
                    document["run"]["state"] = RunState.RUN_STATE_FINISHED
                    began.append(now)

    def firings(self, schedule: str) -> list[Firing]:
        found = [firing_from_document(each) for each in self.server.firings.values() if each["schedule"] == schedule]
        return sorted(found, key=lambda firing: (firing.time.ToNanoseconds(), firing.id))

    def runs(self) -> list[RunRecord]:
        return [run_from_document(document) for document in self.server.runs.values()]

    def check_laws(self) -> None:
        """Check that each firing that started has one run, and that there is no other run."""
        everything = [firing_from_document(document) for document in self.server.firings.values()]
        started = {each.id: each.run for each in everything if each.state == FiringState.FIRING_STATE_STARTED}
        assert {record.request_id: record.run.id for record in self.runs()} == started
        assert len(self.runs()) == len(started)

    async def _keep_alive(self, number: int, max_calls: int | None) -> None:
        while True:
            replica = self._start(f"dispatch {number}", self.rng.randrange(1, max_calls) if max_calls else None)
            self.replicas.append(replica)
            await replica.died.wait()
            await replica.wait_until_gone()
            self.replicas.remove(replica)
            await asyncio.sleep(self.rng.random() * 60)

    def _start(self, name: str, calls: int | None) -> KillableProcess:
        process = KillableProcess(name, calls=calls)
        store = MemoryStore(self.server, transport=process)
        worker = ScheduleWorker(store, RunCreator(store).create, Metrics(CollectorRegistry()), POLL_SECONDS)  # type: ignore[arg-type]  # in memory
        process.start(worker.work(asyncio.Event()))
        return process

    async def _end(self, process: KillableProcess) -> None:
        process.kill()
        await process.wait_until_gone()


def times_of(firings: Iterable[Firing]) -> list[str]:
    """Return the times of firings, as day and time in UTC."""
    return [f"{firing.time.ToDatetime(tzinfo=UTC):%d %H:%M}" for firing in firings]
