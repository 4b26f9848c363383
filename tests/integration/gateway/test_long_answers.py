"""Many long answers at once: the gateway holds no more of them than its setting allows, and all are answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from tests.integration.gateway.test_stage import QUICK, World, batch, texts

from libra.bus.nats_bus import NatsBus
from libra.gateway.components import MIB, Components
from libra.store.client import Store
from libra.v1.completion_pb2 import GenerationParameters

SIZE = 128 * 1024
TRIALS = 16
LONG = GenerationParameters(max_tokens=100_000)


@pytest.fixture
async def world(nats_url: str, store: Store) -> AsyncIterator[World]:
    bus = await NatsBus.connect(nats_url, name="test")
    await bus.ensure()
    made = World(store, bus, size=SIZE // 4)
    async with made.provider:
        yield made
    await bus.close()


async def watch_memory(components: Components, peaks: list[int]) -> None:
    while True:
        peaks.append(components.answer_memory.held_bytes)
        await asyncio.sleep(0.001)


async def test_long_answers_in_flight_stay_within_the_memory_for_answers(world: World) -> None:
    await world.register(max_in_flight=64)
    peaks: list[int] = []
    async with world.gateway(replace(QUICK, answer_memory_mib=2)) as components:
        watching = asyncio.create_task(watch_memory(components, peaks))
        for number in range(10):
            await world.send(batch(texts(TRIALS, prefix=f"{number:02}-"), run=f"run{number}", parameters=LONG))
        received = await world.received(10 * TRIALS, 60)
        await world.done()
        watching.cancel()
        await asyncio.sleep(0)
        assert components.answer_memory.held_bytes == 0
    answers = [one.completion.text for each in received for one in each.trials]
    assert len(answers) == 10 * TRIALS
    assert min(map(len, answers)) >= SIZE
    longest = max(map(len, answers))
    # The limit, the answers of one batch, once as answers and once as messages, and some requests in flight.
    assert 2 * MIB < max(peaks) <= 2 * MIB + (2 * TRIALS + 8) * longest
