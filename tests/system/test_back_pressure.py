"""However large a run is, it holds no more of the system than a small one; it ends at once; and it leaves room for another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from libra.local.system import System
from libra.testing.scripted_provider import ScriptedProvider, says

from .load_generator import Flood

pytestmark = pytest.mark.timeout(240)

IN_FLIGHT = 32
LATENCY_SECONDS = 0.2


@pytest.fixture
async def flood(system: System) -> AsyncIterator[Flood]:
    system.up()
    async with ScriptedProvider(says("I'm sorry, but I can't.", after_seconds=LATENCY_SECONDS)) as provider:
        made = Flood(system, provider)
        await made.prepare()
        yield made
        await made.close()


async def test_a_million_trials_hold_no_more_than_ten_thousand_and_end_within_five_seconds(flood: Flood) -> None:
    costs, last = [], 0.0
    for trials, watch_seconds in ((10_000, 0), (1_000_000, 6)):
        run = await flood.begin(await flood.model(IN_FLIGHT), trials)
        await flood.asked(1)
        costs.append(await flood.cost(4))
        assert 0 < await flood.settled(run) < trials
        last = await flood.cancel(run, watch_seconds)
    small, large = costs
    # A dozen batches of 64, more or less by the moment; a million trials are 15,625.
    assert large.queued <= 2 * small.queued + 8, costs
    assert large.dispatch_bytes <= small.dispatch_bytes * 1.1, costs
    assert last < 5


async def test_two_runs_share_a_model_from_the_moment_the_second_begins(flood: Flood) -> None:
    model = await flood.model(IN_FLIGHT)
    first = await flood.begin(model, 1_000_000)
    await flood.asked(600)
    second = await flood.begin(model, 100_000, fresh=True)
    await asyncio.sleep(4)
    before = await flood.settled(first), await flood.settled(second)
    await asyncio.sleep(6)
    after = await flood.settled(first), await flood.settled(second)
    for run in (first, second):
        await flood.cancel(run)
    progress = after[0] - before[0], after[1] - before[1]
    assert sum(progress) >= 0.7 * 6 * IN_FLIGHT / LATENCY_SECONDS, progress
    # Verdicts come in batches of 64: some eight of each run in six seconds.
    assert 0.4 <= progress[1] / max(progress[0], 1) <= 2.5, progress
