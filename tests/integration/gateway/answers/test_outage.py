"""Answers that arrive while mongod is away are stored."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from libra.core.errors import Unavailable
from libra.gateway.completion.writer import SLOW_SECONDS
from libra.gateway.components import Components
from libra.local.servers import MongoServer
from libra.store.client import Store, StoreSettings
from libra.telemetry.metrics import Metrics
from libra.testing.scripted_provider import says

from .endpoint import FAST, KEY, Endpoint, ask, model_of

IMPATIENT = StoreSettings(
    server_selection_milliseconds=300, connect_milliseconds=300, socket_milliseconds=1000, majority_milliseconds=1000
)


async def test_answers_that_arrive_while_mongod_is_away_are_paid_once(tmp_path: Path, endpoint: Endpoint) -> None:
    server = MongoServer.start(tmp_path)
    store = Store.connect(server.url, settings=IMPATIENT)
    components = Components.create(store, Metrics(CollectorRegistry()), FAST, {"TEST_API_KEY": KEY})
    endpoint.play(says("yes", after_seconds=0.3))
    model = model_of(endpoint, max_in_flight=4)
    try:
        asking = asyncio.create_task(ask(components, model, *"abcdefgh"))
        while endpoint.count < 4:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(server.kill)
        with pytest.raises(Unavailable):
            await ask(components, model, "new")  # no request is sent whose answer cannot be stored
        await asyncio.sleep(1)
        assert endpoint.count <= 8
        server = await asyncio.to_thread(MongoServer.start, tmp_path, port=server.port)
        completions = await asking
        assert [each.attempts for each in completions] == [1] * 8
        assert endpoint.count == 8
        assert [each.attempts for each in await ask(components, model, *"abcdefgh")] == [0] * 8
    finally:
        await components.close(0)
        await store.close()
        server.kill()


async def test_a_frozen_mongod_is_noticed_before_the_driver_notices(tmp_path: Path, endpoint: Endpoint) -> None:
    """With 4 requests in flight of 0.05 s each, 80 answers arrive per second."""
    server = MongoServer.start(tmp_path)
    store = Store.connect(server.url)
    components = Components.create(store, Metrics(CollectorRegistry()), FAST, {"TEST_API_KEY": KEY})
    endpoint.play(says("yes", after_seconds=0.05))
    model = model_of(endpoint, max_in_flight=4)
    try:
        asking = asyncio.create_task(ask(components, model, *map(str, range(150))))
        while endpoint.count < 20:
            await asyncio.sleep(0.01)
        server.process.send_signal(signal.SIGSTOP)
        frozen = asyncio.get_running_loop().time()
        await asyncio.sleep(3)
        late = [arrival - frozen for arrival in endpoint.arrivals if arrival > frozen]
        assert max(late) < SLOW_SECONDS + 0.25, late
        assert len(late) <= 4 * (SLOW_SECONDS + 0.25) / 0.05
        server.process.send_signal(signal.SIGCONT)
        completions = await asking
        assert [each.attempts for each in completions] == [1] * 150
        assert endpoint.count == 150
    finally:
        server.process.send_signal(signal.SIGCONT)
        await components.close(0)
        await store.close()
        server.kill()
