"""Any one service is killed in the middle of a run and started again: the run ends, and its audit is clean."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from tests.chaos.faulty_provider import CALM
from tests.chaos.harness import HASTY, World, seed, world

from libra.local.topology import SERVICES

pytestmark = pytest.mark.timeout(300)

TRIALS = 1000
"""At 64 in flight and an eighth of a second each, some two seconds of work."""

AWAY_SECONDS = 1.0
PATIENCE_SECONDS = 60.0


async def test_each_service_that_is_killed_and_started_again_loses_nothing(tmp_path: Path) -> None:
    """One after the other, each in a run of its own, on one system."""
    async with world(tmp_path, seed=seed(), mood=CALM, replicas={}, variables=HASTY) as its:
        for service in SERVICES:
            its.script.tries.clear()
            await killed(its, service)


async def killed(its: World, service: str) -> None:
    began = time.monotonic()
    run = await its.begin(TRIALS)
    await its.middle(run, 0.2, PATIENCE_SECONDS)
    await asyncio.to_thread(its.system.kill, service)
    await asyncio.sleep(AWAY_SECONDS)
    await asyncio.to_thread(its.system.start_part, service)
    ended = await its.examined(await its.ended(run, PATIENCE_SECONDS), began)
    its.check(ended)
    assert ended.run.counts.scored == TRIALS, service
    # A gateway that is killed has as many questions under way, and at most about as many answers on their way to the store.
    assert len(its.script.repeats()) <= (2 * its.in_flight if service == "gateway" else 0), service
