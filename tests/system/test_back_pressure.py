"""A large run uses no more of the system than a small one, stops soon when it is cancelled, and shares its model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from libra.local.system import System
from libra.testing.scripted_provider import ScriptedProvider, says

from .load_generator import LoadGenerator

pytestmark = [pytest.mark.alone, pytest.mark.timeout(240)]

IN_FLIGHT = 32
LATENCY_SECONDS = 0.2


@pytest.fixture
async def load(system: System) -> AsyncIterator[LoadGenerator]:
    system.up()
    async with ScriptedProvider(says("I'm sorry, but I can't.", after_seconds=LATENCY_SECONDS)) as provider:
        generator = LoadGenerator(system, provider)
        await generator.prepare()
        yield generator
        await generator.close()


async def test_a_million_trials_use_no_more_than_ten_thousand_and_stop_within_five_seconds(load: LoadGenerator) -> None:
    usages, last_request_seconds = [], 0.0
    for trials, watch_seconds in ((10_000, 0), (1_000_000, 6)):
        run = await load.create_run(await load.add_model(IN_FLIGHT), trials)
        await load.wait_for_requests(1)
        usages.append(await load.measure(4))
        assert 0 < await load.count_completed(run) < trials
        last_request_seconds = await load.cancel(run, watch_seconds)
    small, large = usages
    # About a dozen batches of 64; a million trials are 15,625 batches.
    assert large.queued <= 2 * small.queued + 8, usages
    assert large.dispatch_bytes <= small.dispatch_bytes * 1.1, usages
    assert last_request_seconds < 5


async def test_two_runs_share_a_model_from_the_start_of_the_second(load: LoadGenerator) -> None:
    model = await load.add_model(IN_FLIGHT)
    first = await load.create_run(model, 1_000_000)
    await load.wait_for_requests(600)
    second = await load.create_run(model, 100_000, fresh=True)
    await asyncio.sleep(4)
    before = await load.count_completed(first), await load.count_completed(second)
    await asyncio.sleep(6)
    after = await load.count_completed(first), await load.count_completed(second)
    for run in (first, second):
        await load.cancel(run)
    progress = after[0] - before[0], after[1] - before[1]
    assert sum(progress) >= 0.7 * 6 * IN_FLIGHT / LATENCY_SECONDS, progress
    # Verdicts come in batches of 64: about eight of each run in six seconds.
    assert 0.4 <= progress[1] / max(progress[0], 1) <= 2.5, progress
