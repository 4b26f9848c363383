"""A schedule fires once at each of its times although every dispatch is killed around it."""

from __future__ import annotations

import asyncio
import random
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.chaos.harness import NO_PAGES, SHORT_DELAYS

from libra.local.system import System
from libra.rpc.client import call, channel
from libra.v1.run_pb2 import ListRunsRequest, Run, RunSpec
from libra.v1.run_pb2_grpc import RunServiceStub
from libra.v1.schedule_pb2 import (
    CreateScheduleRequest,
    Firing,
    FiringState,
    ListFiringsRequest,
    OverlapPolicy,
    PauseScheduleRequest,
    Schedule,
)
from libra.v1.schedule_pb2_grpc import ScheduleServiceStub

pytestmark = pytest.mark.timeout(180)

CALL_SECONDS = 20.0
PERIOD_SECONDS = 4
KILLS = 3
DISPATCHES = ("dispatch", "dispatch-2")
SEED = 7


async def test_a_schedule_fires_once_at_each_time_although_every_dispatch_is_killed_around_it(tmp_path: Path) -> None:
    with System.start(tmp_path, replicas=NO_PAGES | {"dispatch": 2}, variables=SHORT_DELAYS) as system:
        async with channel(system.grpc_target("dispatch")) as opened:
            schedules, runs = ScheduleServiceStub(opened), RunServiceStub(opened)
            template = RunSpec(models=["careful"], tasks=["arithmetic"], samples_per_task=2)
            schedule = Schedule(
                name="often",
                cron=f"*/{PERIOD_SECONDS} * * * * *",
                template=template,
                overlap=OverlapPolicy.OVERLAP_POLICY_ALLOW,
            )
            await call(schedules.CreateSchedule, CreateScheduleRequest(schedule=schedule), CALL_SECONDS)
            rng = random.Random(SEED)
            for _ in range(KILLS):
                await kill_around_next_time(system, rng.uniform(-0.3, 1.0))
            await until_next_time(1.5)
            await call(schedules.PauseSchedule, PauseScheduleRequest(name="often"), CALL_SECONDS)
            firings = await settled(schedules)
            created = await list_runs(runs)
    times = [firing.time.seconds for firing in firings]
    assert len(times) >= KILLS + 1
    assert all(later - earlier == PERIOD_SECONDS for earlier, later in pairwise(times))
    assert {firing.state for firing in firings} == {FiringState.FIRING_STATE_STARTED}
    assert sorted(firing.run for firing in firings) == sorted(run.id for run in created)


async def until_next_time(offset_seconds: float) -> None:
    now = time.time()
    await asyncio.sleep(PERIOD_SECONDS - now % PERIOD_SECONDS + offset_seconds)


async def kill_around_next_time(system: System, offset_seconds: float) -> None:
    """Kill every dispatch shortly before or after the next time, and start them again."""
    await until_next_time(offset_seconds)
    for name in DISPATCHES:
        await asyncio.to_thread(system.kill, name)
    await asyncio.sleep(1)
    first, *others = DISPATCHES
    await asyncio.to_thread(system.start_part, first, wait=False)
    for name in others:
        await asyncio.to_thread(system.start_part, name)


async def settled(schedules: Any) -> list[Firing]:
    """Return the firings, the oldest first, once each has ended."""
    async with asyncio.timeout(CALL_SECONDS):
        while True:
            firings = (await call(schedules.ListFirings, ListFiringsRequest(), CALL_SECONDS)).firings
            if all(each.state > FiringState.FIRING_STATE_STARTING for each in firings):
                return list(firings)[::-1]
            await asyncio.sleep(0.2)


async def list_runs(runs: Any) -> list[Run]:
    return list((await call(runs.ListRuns, ListRunsRequest(), CALL_SECONDS)).runs)
