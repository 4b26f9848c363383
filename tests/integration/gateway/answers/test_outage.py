"""What was bought while mongod was away is kept."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from libra.errors import Unavailable
from libra.gateway.completion.writer import SLOW_SECONDS
from libra.gateway.components import Components
from libra.local.servers import MongoServer
from libra.store.client import Store, StoreSettings
from libra.telemetry.metrics import Metrics
from libra.testing.scripted_provider import says

from .endpoint import FAST, KEY, Endpoint, ask, model

IMPATIENT = StoreSettings(
    server_selection_milliseconds=300, connect_milliseconds=300, socket_milliseconds=1000, majority_milliseconds=1000
)


async def test_answers_that_came_while_mongod_was_away_are_paid_once(tmp_path: Path, endpoint: Endpoint) -> None:
    server = MongoServer.start(tmp_path)
    store = Store.connect(server.url, settings=IMPATIENT)
    desk = Components.laid(store, Metrics(CollectorRegistry()), FAST, {"TEST_KEY": KEY})
    endpoint.play(says("yes", after_seconds=0.3))
    entry = model(endpoint, max_in_flight=4)
    try:
        asking = asyncio.create_task(ask(desk, entry, *"abcdefgh"))
        while endpoint.count < 4:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(server.kill)
        with pytest.raises(Unavailable):
            await ask(desk, entry, "new")  # nothing is bought that cannot be kept
        await asyncio.sleep(1)
        assert endpoint.count <= 8
        server = await asyncio.to_thread(MongoServer.start, tmp_path, port=server.port)
        completions = await asking
        assert [each.attempts for each in completions] == [1] * 8
        assert endpoint.count == 8
        assert [each.attempts for each in await ask(desk, entry, *"abcdefgh")] == [0] * 8
    finally:
        await desk.close(0)
        await store.close()
        server.kill()


async def test_a_mongod_that_stands_still_is_noticed_before_the_driver_notices(
    tmp_path: Path, endpoint: Endpoint
) -> None:
    """At 4 in flight and a twentieth of a second each, 80 answers are bought in a second."""
    server = MongoServer.start(tmp_path)
    store = Store.connect(server.url)
    desk = Components.laid(store, Metrics(CollectorRegistry()), FAST, {"TEST_KEY": KEY})
    endpoint.play(says("yes", after_seconds=0.05))
    entry = model(endpoint, max_in_flight=4)
    try:
        asking = asyncio.create_task(ask(desk, entry, *map(str, range(150))))
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
        await desk.close(0)
        await store.close()
        server.kill()
