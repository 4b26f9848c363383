"""The bus on a real nats-server that is killed, loses its data, or starts late."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import nats
import pytest
from nats.js.api import ConsumerConfig, StreamConfig

from libra.bus import streams
from libra.bus.delivery import NatsDelivery
from libra.bus.nats_bus import Backlog, NatsBus
from libra.bus.provisioning import IncompatibleStream, InsufficientStorage
from libra.core.errors import Unavailable
from libra.local.servers import NatsServer, free_port
from libra.stage.bus import Outgoing
from libra.stage.errors import Reject

SECONDS = 30.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NatsServer]:
    """A separate nats-server, which the test may kill and suspend."""
    restartable = RestartableServer(NatsServer.start(tmp_path))
    yield restartable  # type: ignore[misc]  # has the interface that the tests use
    restartable.current.kill()


class RestartableServer:
    """A server that can be killed and restarted in the same folder and on the same port."""

    def __init__(self, server: NatsServer) -> None:
        self.current = server

    @property
    def url(self) -> str:
        return self.current.url

    def kill(self) -> None:
        self.current.kill()

    async def start(self) -> None:
        self.current = await asyncio.to_thread(NatsServer.start, self.current.folder, port=self.current.port)

    def delete_data(self) -> None:
        shutil.rmtree(self.current.folder / "data")


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[NatsBus]:
    async with asyncio.timeout(SECONDS):
        bus = await NatsBus.connect(url, name="test")
    try:
        yield bus
    finally:
        await bus.close()


@pytest.fixture
async def bus(nats_url: str) -> AsyncIterator[NatsBus]:
    async with connected(nats_url) as bus:
        await bus.ensure()
        yield bus


def message(key: str, subject: str = streams.WORK_JUDGE) -> Outgoing:
    return Outgoing(subject, key, key.encode())


async def pull_with_retries(bus: NatsBus, consumer: str, count: int = 1) -> list[NatsDelivery]:
    """Pull as a stage does: again after an error."""
    pulled: list[NatsDelivery] = []
    async with asyncio.timeout(SECONDS):
        while len(pulled) < count:
            try:
                pulled += await bus.pull(consumer, 16)
            except Unavailable:
                await asyncio.sleep(0.1)
    return pulled


async def publish_with_retries(bus: NatsBus, outgoing: Outgoing) -> None:
    async with asyncio.timeout(SECONDS):
        while True:
            try:
                return await bus.publish(outgoing, {})
            except Unavailable:
                await asyncio.sleep(0.1)


async def wait_until_available(bus: NatsBus) -> None:
    async with asyncio.timeout(SECONDS):
        while True:
            try:
                return await bus.ping()
            except Unavailable:
                await asyncio.sleep(0.05)


async def test_without_a_connection_every_call_is_unavailable() -> None:
    bus = NatsBus("nats://127.0.0.1:1", name="test")
    for call in (bus.ping(), bus.ensure(), bus.pull("judge", 1), bus.publish(message("a"), {}), bus.backlog()):
        with pytest.raises(Unavailable, match=r"NATS at 127\.0\.0\.1:1 .*not connected"):
            await call
    await bus.signal("event.board", b"")  # lost without an error
    await bus.close()


async def test_opening_waits_for_a_server_that_starts_late(tmp_path: Path) -> None:
    port = free_port()
    bus = NatsBus(f"nats://127.0.0.1:{port}", name="test")
    opening = asyncio.create_task(bus.open())
    await asyncio.sleep(0.3)
    assert not opening.done()
    server = await asyncio.to_thread(NatsServer.start, tmp_path, port=port)
    try:
        async with asyncio.timeout(SECONDS):
            await opening
        await bus.ping()
    finally:
        await bus.close()
        server.stop()


async def test_ensure_creates_missing_streams_and_keeps_existing_ones(bus: NatsBus) -> None:
    await bus.publish(message("a"), {})
    await bus.ensure()
    assert len(await pull_with_retries(bus, "judge")) == 1


async def test_an_incompatible_stream_is_reported_and_not_changed(nats_url: str, bus: NatsBus) -> None:
    client = await nats.connect(nats_url)
    await client.jetstream().update_stream(streams.WORK[0], max_msgs_per_subject=7)
    with pytest.raises(
        IncompatibleStream, match=r"the stream WORK_ATTACK .* max_msgs_per_subject is 7 and must be 4096"
    ):
        await bus.ensure()
    info = await client.jetstream().stream_info("WORK_ATTACK")
    assert info.config.max_msgs_per_subject == 7
    await client.close()


async def test_an_incompatible_consumer_is_reported(nats_url: str, bus: NatsBus) -> None:
    client = await nats.connect(nats_url)
    await client.jetstream().add_consumer("WORK_JUDGE", streams.consumer_config("judge"), ack_wait=7)
    with pytest.raises(IncompatibleStream, match=r"the consumer judge .* ack_wait is 7\.0 and must be 30\.0"):
        await bus.ensure()
    await client.close()


async def test_a_models_consumer_is_created_at_its_first_pull(bus: NatsBus) -> None:
    await bus.publish(message("a", streams.work_gateway("gpt-4.1")), {})
    assert streams.gateway_consumer("gpt-4.1") not in await bus.backlog()
    assert len(await pull_with_retries(bus, streams.gateway_consumer("gpt-4.1"))) == 1
    await bus.ensure_consumer("another")
    assert streams.gateway_consumer("another") in await bus.backlog()


async def test_the_backlog_counts_waiting_and_unsettled_messages(bus: NatsBus) -> None:
    for key in ("a", "b", "c"):
        await bus.publish(message(key), {})
    assert (await bus.backlog())["judge"] == Backlog(pending=3, ack_pending=0)
    first, _ = await bus.pull("judge", 2)
    assert (await bus.backlog())["judge"] == Backlog(pending=1, ack_pending=2)
    await first.ack()
    assert (await bus.backlog())["judge"] == Backlog(pending=1, ack_pending=1)
    assert (await bus.backlog())["attack"] == Backlog(pending=0, ack_pending=0)


async def test_purging_a_model_keeps_the_messages_of_others(bus: NatsBus) -> None:
    await bus.publish(message("a", streams.work_gateway("gone")), {})
    await bus.publish(message("b", streams.work_gateway("here")), {})
    await bus.purge_model("gone")
    assert await bus.pull(streams.gateway_consumer("gone"), 4) == []
    assert len(await pull_with_retries(bus, streams.gateway_consumer("here"))) == 1


async def test_the_backlog_contains_more_consumers_than_one_page(nats_url: str, bus: NatsBus) -> None:
    client = await nats.connect(nats_url)
    js = client.jetstream()
    for number in range(260):
        await js.add_consumer("WORK_GATEWAY", streams.consumer_config(f"gateway-m{number}"))
    await client.close()
    assert len(await bus.backlog()) == 260 + len(streams.FIXED_CONSUMERS)


async def test_a_message_above_the_servers_limit_is_rejected(bus: NatsBus) -> None:
    with pytest.raises(Reject, match="9000000 bytes"):
        await bus.publish(Outgoing(streams.WORK_JUDGE, "a", b"x" * 9_000_000), {})


async def test_headers_may_contain_any_text(bus: NatsBus) -> None:
    await bus.publish(message("a"), {"Libra-Reason": "line one\r\nline two: Köln \ud800", "other": ""})
    (delivery,) = await pull_with_retries(bus, "judge")
    assert delivery.headers["Libra-Reason"] == "line one line two: Köln \\ud800"


async def test_a_delivery_can_be_extended_and_is_settled_only_once(bus: NatsBus) -> None:
    await bus.publish(message("a"), {})
    (delivery,) = await pull_with_retries(bus, "judge")
    await delivery.working()
    await delivery.ack()
    with pytest.raises(Unavailable):
        await delivery.nak(0.0)


async def test_signals_reach_listeners(bus: NatsBus, nats_url: str) -> None:
    async with connected(nats_url) as other, asyncio.timeout(SECONDS):
        signals = other.listen(streams.event_run("*"))
        first = asyncio.ensure_future(anext(signals))
        while not first.done():
            await bus.signal(streams.event_run("r1"), b"x")
            await asyncio.sleep(0.02)
        assert first.result() == ("event.run.r1", b"x")
        await signals.aclose()  # type: ignore[attr-defined]  # it is a generator


async def test_a_killed_and_restarted_server_has_lost_nothing(server: RestartableServer) -> None:
    async with connected(server.url) as bus:
        await bus.ensure()
        signals = bus.listen(streams.event_board())
        first = asyncio.ensure_future(anext(signals))
        for key in ("a", "b"):
            await bus.publish(message(key), {})
        (unsettled,) = await bus.pull("judge", 1)
        server.kill()
        with pytest.raises(Unavailable):
            await bus.publish(message("c"), {})
        await server.start()
        await publish_with_retries(bus, message("c"))
        await wait_until_available(bus)
        # The server may not have stored the delivery. Then it delivers the message again, and this ack has no effect.
        with contextlib.suppress(Unavailable):
            await unsettled.ack()
        found = {delivery.key for delivery in await pull_with_retries(bus, "judge", 2)}
        assert {"b", "c"} <= found | {delivery.key for delivery in await bus.pull("judge", 4)}
        async with asyncio.timeout(SECONDS):
            while not first.done():
                await bus.signal(streams.event_board(), b"")
                await asyncio.sleep(0.05)
        await signals.aclose()  # type: ignore[attr-defined]  # it is a generator


async def test_pulls_work_again_after_a_server_was_suspended_during_a_pull(server: RestartableServer) -> None:
    async with connected(server.url) as bus:
        await bus.ensure()
        assert await bus.pull("judge", 1) == []
        server.current.process.send_signal(signal.SIGSTOP)
        with contextlib.suppress(Unavailable):
            await bus.pull("judge", 1)  # until the pull times out
        await asyncio.sleep(0.1)
        server.current.process.send_signal(signal.SIGCONT)
        await publish_with_retries(bus, message("a"))
        (delivery,) = await pull_with_retries(bus, "judge")
        await delivery.ack()


async def test_streams_are_created_again_after_the_servers_data_was_deleted(server: RestartableServer) -> None:
    async with connected(server.url) as bus:
        await bus.ensure()
        await bus.publish(message("a"), {})
        gateway = streams.gateway_consumer("m.1")
        assert await bus.pull(gateway, 1) == []
        (lost,) = await pull_with_retries(bus, "judge")
        server.kill()
        server.delete_data()
        await server.start()
        await publish_with_retries(bus, message("b"))
        await publish_with_retries(bus, message("c", streams.work_gateway("m.1")))
        assert [delivery.key for delivery in await pull_with_retries(bus, "judge")] == ["b"]
        assert [delivery.key for delivery in await pull_with_retries(bus, gateway)] == ["c"]
        # Its sequence number now belongs to another message, which is delivered and not handled yet.
        with pytest.raises(Unavailable, match="its stream was deleted and created again"):
            await lost.ack()
        assert (await bus.backlog())["judge"].ack_pending == 1
        assert set(await bus.backlog()) == {"attack", "writing", "judge", "ranking", gateway}


async def test_reading_the_backlog_creates_deleted_streams_too(server: RestartableServer) -> None:
    async with connected(server.url) as bus:
        await bus.ensure()
        server.kill()
        server.delete_data()
        await server.start()
        await wait_until_available(bus)
        assert set(await bus.backlog()) == {"attack", "writing", "judge", "ranking"}


async def test_closing_takes_limited_time_also_while_the_server_is_down(server: RestartableServer) -> None:
    bus = await NatsBus.connect(server.url, name="test")
    server.kill()
    async with asyncio.timeout(8):
        await bus.close()


async def test_another_stream_on_the_same_subjects_is_reported(nats_url: str) -> None:
    client = await nats.connect(nats_url)
    js = client.jetstream()
    await js.add_stream(StreamConfig(name="OTHER", subjects=["work.>"]))
    await js.add_consumer("OTHER", ConsumerConfig(durable_name="judge"))
    async with connected(nats_url) as bus:
        with pytest.raises(Unavailable, match="overlap"):
            await bus.ensure()
    await client.close()


async def test_a_server_with_too_little_storage_is_reported_at_the_start(tmp_path: Path) -> None:
    small = await asyncio.to_thread(NatsServer.start, tmp_path, store_bytes=1_000_000)
    try:
        async with connected(small.url) as bus:
            with pytest.raises(
                InsufficientStorage,
                match=r"cannot reserve storage for the stream WORK_ATTACK: 6 streams of 268,435,456 bytes",
            ):
                await bus.ensure()
    finally:
        await asyncio.to_thread(small.stop)
