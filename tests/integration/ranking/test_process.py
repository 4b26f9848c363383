"""The ranking process: it writes batches from the queue, serves boards, and ends cleanly at SIGTERM."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator

import pytest
from tests.integration.support.ranking_world import batch, create_run, import_task, section, store_completions

from libra.bus import streams
from libra.bus.nats_bus import NatsBus
from libra.core.errors import Unavailable
from libra.local import settings
from libra.local.servers import MongoServer, free_port
from libra.rpc.client import call, channel, stream
from libra.stage.bus import Outgoing
from libra.store.client import Store
from libra.v1.ranking_pb2 import AuditRunRequest, GetBoardRequest, WatchBoardRequest
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.v1.run_pb2 import RunState


@pytest.fixture
async def stub(nats_url: str, mongo_server: MongoServer, database: str) -> AsyncIterator[RankingServiceStub]:
    port = free_port()
    environ = settings.inherited_environment() | {
        "LIBRA_NATS_URL": nats_url,
        "LIBRA_MONGO_URL": mongo_server.url,
        "LIBRA_MONGO_DATABASE": database,
        "LIBRA_RANKING_LISTEN": f"127.0.0.1:{port}",
        "LIBRA_RANKING_METRICS_LISTEN": f"127.0.0.1:{free_port()}",
        "LIBRA_RANKING_LOOK_SECONDS": "30",  # a watch that changes sooner has received the signal
    }
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "libra.ranking", env=environ)
    async with channel(f"127.0.0.1:{port}") as opened:
        client = RankingServiceStub(opened)
        await wait_until_ready(client)
        yield client
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(20):
            assert await process.wait() == 0


async def wait_until_ready(client: RankingServiceStub) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                await call(client.GetBoard, GetBoardRequest(), 5)
            except Unavailable:
                await asyncio.sleep(0.1)
            else:
                return


async def test_verdicts_from_the_queue_are_on_the_board_when_their_run_is_finished(
    stub: RankingServiceStub, store: Store, nats_url: str
) -> None:
    bus = await NatsBus.connect(nats_url, name="test")
    part = section("harm@1", 64)
    await import_task(store, "harm@1", 64)
    await store_completions(store, "one", range(64))
    run = await create_run(store, [part])
    watch = stream(stub.WatchBoard, WatchBoardRequest(), 30)
    async with asyncio.timeout(30):
        assert list((await anext(watch)).board.rows) == []
        data = batch(run, part, [1, 0] * 32).SerializeToString()
        await bus.publish(Outgoing(streams.WORK_RANKING, "key", data), {})
        while not await store.cells.list_for_runs([run]):
            await asyncio.sleep(0.02)
        await store.runs.mark_ended(run, RunState.RUN_STATE_FINISHED)
        await bus.signal(streams.event_board(), b"")
        [row] = (await anext(watch)).board.rows
    assert row.safety.value == 0.5
    await watch.aclose()
    response = await call(stub.AuditRun, AuditRunRequest(run=run), 10)
    assert list(response.findings) == []
    assert response.verdicts == 64
    await bus.close()
