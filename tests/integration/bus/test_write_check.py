"""Whether a nats-server that replies also stores messages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.chaos.disk_full import Filler, MountRefused, small_disk

from libra.bus import streams
from libra.bus.nats_bus import NatsBus
from libra.bus.write_check import PROBE
from libra.core.errors import Unavailable
from libra.local import server_health
from libra.local.servers import NatsServer, free_port
from libra.stage.bus import Outgoing

SMALL_STAGE_BYTES = 2_000_000


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    try:
        with small_disk(tmp_path / "disk", megabytes=40) as folder:
            yield folder
    except MountRefused as error:
        pytest.skip(f"this user may not mount a file system: {error}")


@asynccontextmanager
async def opened_bus(server: NatsServer) -> AsyncIterator[NatsBus]:
    bus = NatsBus(server.url, name="test", stage_bytes=SMALL_STAGE_BYTES)
    await bus.open()
    try:
        await bus.ensure()
        yield bus
    finally:
        await bus.close()


async def test_checks_store_one_message_however_often(nats_url: str) -> None:
    bus = await NatsBus.connect(nats_url, name="test")
    try:
        for _ in range(3):
            await bus.check_writes()
        info = await bus.jetstream("count").stream_info(str(PROBE.name))
        assert info.state.messages == 1
    finally:
        await bus.close()


async def test_a_quota_that_is_used_up_is_not_a_failure(tmp_path: Path) -> None:
    server = NatsServer.start(tmp_path / "nats", store_bytes=len(streams.STREAMS) * SMALL_STAGE_BYTES)
    try:
        async with opened_bus(server) as bus:
            await bus.check_writes()
            await bus.check_writes()
    finally:
        server.stop()


async def test_a_server_on_a_full_disk_stores_nothing_until_it_has_space_and_is_restarted(disk: Path) -> None:
    monitor_port, filler = free_port(), Filler(disk)
    limit = {"store_bytes": 1 << 30, "monitor_port": monitor_port}
    server = NatsServer.start(disk / "nats", **limit)
    try:
        async with opened_bus(server) as bus:
            await bus.check_writes()
            assert server_health.find_nats_problem(monitor_port) == ""
            filler.fill()
            assert server_health.is_disk_full(disk)
            message = Outgoing(streams.WORK_JUDGE, "key", bytes(100_000))
            with pytest.raises(Unavailable):
                await bus.publish(message, {})
            with pytest.raises(Unavailable, match="the queue takes no messages"):
                await bus.check_writes()
            assert "no space left" in server_health.find_nats_problem(monitor_port)

            filler.remove()
            with pytest.raises(Unavailable, match="the queue takes no messages"):
                await bus.check_writes()
            server.stop()
            server = NatsServer.start(disk / "nats", port=server.port, **limit)
            await asyncio.sleep(1)
            await bus.publish(message, {})
            await bus.check_writes()
            assert server_health.find_nats_problem(monitor_port) == ""
    finally:
        server.stop()
