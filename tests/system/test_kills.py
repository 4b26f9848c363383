"""Whatever is killed in the middle of a run and started again, every trial ends in exactly one verdict.

The same at full length is in tests/chaos (`make chaos`).
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from tests.chaos.kills import kill_at_random
from tests.chaos.losses import cut_the_power
from tests.chaos.unruly import CALM
from tests.chaos.world import seed, world

from libra.local.parts import SERVICES

pytestmark = pytest.mark.timeout(300)

PATIENCE_SECONDS = 200.0


async def test_processes_killed_at_random_lose_nothing(tmp_path: Path) -> None:
    await kill_at_random(tmp_path, seed=seed(), trials=1000, every_seconds=2.0, patience_seconds=PATIENCE_SECONDS)


async def test_an_outage_and_a_power_cut_that_costs_the_queue_lose_nothing(tmp_path: Path) -> None:
    await cut_the_power(tmp_path, seed=seed(), trials=4000, away_seconds=30.0, patience_seconds=PATIENCE_SECONDS)


async def test_the_only_replica_of_each_service_is_killed_and_its_run_goes_on(tmp_path: Path) -> None:
    async with world(tmp_path, seed=seed(), mood=CALM, replicas={}) as its:
        began = time.monotonic()
        run = await its.begin(4000)
        await its.middle(run, 0.1, PATIENCE_SECONDS)
        for service in SERVICES:
            await asyncio.to_thread(its.system.kill, service)
            await asyncio.to_thread(its.system.start_part, service)
        ended = await its.examined(await its.ended(run, PATIENCE_SECONDS), began)
        its.check(ended)
        # A gateway that is killed has as many questions under way, and about as many answers on their way to the store.
        assert len(its.script.repeats()) <= 2 * its.in_flight
