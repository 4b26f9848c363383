"""The bus on a real nats-server that is killed, loses its data, and comes late."""

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
    """A nats-server of one's own, to be ill-treated."""
    own = Own(NatsServer.start(tmp_path))
    yield own  # type: ignore[misc]  # it stands for whichever runs now
    own.now.kill()


class Own:
    """The server that runs now, in one folder and on one port."""

    def __init__(self, server: NatsServer) -> None:
        self.now = server

    @property
    def url(self) -> str:
        return self.now.url

    def kill(self) -> None:
        self.now.kill()

    async def start(self) -> None:
        self.now = await asyncio.to_thread(NatsServer.start, self.now.folder, port=self.now.port)

    def delete_data(self) -> None:
        shutil.rmtree(self.now.folder / "data")


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


async def patiently_take(bus: NatsBus, consumer: str, count: int = 1) -> list[NatsDelivery]:
    """Pull as a stage does: a bus that fails is asked again."""
    taken: list[NatsDelivery] = []
    async with asyncio.timeout(SECONDS):
        while len(taken) < count:
            try:
                taken += await bus.pull(consumer, 16)
            except Unavailable:
                await asyncio.sleep(0.1)
    return taken


async def patiently_put(bus: NatsBus, outgoing: Outgoing) -> None:
    async with asyncio.timeout(SECONDS):
        while True:
            try:
                return await bus.publish(outgoing, {})
            except Unavailable:
                await asyncio.sleep(0.1)


async def until_back(bus: NatsBus) -> None:
    async with asyncio.timeout(SECONDS):
        while True:
            try:
                return await bus.ping()
            except Unavailable:
                await asyncio.sleep(0.05)


async def test_before_there_is_a_connection_everything_is_unavailable() -> None:
    bus = NatsBus("nats://127.0.0.1:1", name="test")
    for call in (bus.ping(), bus.ensure(), bus.pull("judge", 1), bus.publish(message("a"), {}), bus.backlog()):
        with pytest.raises(Unavailable, match=r"NATS at 127\.0\.0\.1:1 .*not connected"):
            await call
    await bus.signal("event.board", b"")  # lost, and no error
    await bus.close()


async def test_a_server_that_comes_late_is_waited_for(tmp_path: Path) -> None:
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


async def test_ensure_makes_what_is_missing_and_leaves_what_is_there(bus: NatsBus) -> None:
    await bus.publish(message("a"), {})
    await bus.ensure()
    assert len(await patiently_take(bus, "judge")) == 1


async def test_a_stream_that_is_another_is_not_touched(nats_url: str, bus: NatsBus) -> None:
    client = await nats.connect(nats_url)
    await client.jetstream().update_stream(streams.WORK[0], max_msgs_per_subject=7)
    with pytest.raises(
        IncompatibleStream, match=r"the stream WORK_ATTACK .* max_msgs_per_subject is 7 and must be 4096"
    ):
        await bus.ensure()
    info = await client.jetstream().stream_info("WORK_ATTACK")
    assert info.config.max_msgs_per_subject == 7
    await client.close()


async def test_a_consumer_that_is_another_is_not_touched(nats_url: str, bus: NatsBus) -> None:
    client = await nats.connect(nats_url)
    await client.jetstream().add_consumer("WORK_JUDGE", streams.consumer_config("judge"), ack_wait=7)
    with pytest.raises(IncompatibleStream, match=r"the consumer judge .* ack_wait is 7\.0 and must be 30\.0"):
        await bus.ensure()
    await client.close()


async def test_a_models_consumer_is_made_when_it_is_first_pulled_from(bus: NatsBus) -> None:
    await bus.publish(message("a", streams.work_gateway("gpt-4.1")), {})
    assert streams.gateway_consumer("gpt-4.1") not in await bus.backlog()
    assert len(await patiently_take(bus, streams.gateway_consumer("gpt-4.1"))) == 1
    await bus.ensure_consumer("another")
    assert streams.gateway_consumer("another") in await bus.backlog()


async def test_the_backlog_tells_what_waits_and_what_is_in_hand(bus: NatsBus) -> None:
    for key in ("a", "b", "c"):
        await bus.publish(message(key), {})
    assert (await bus.backlog())["judge"] == Backlog(pending=3, ack_pending=0)
    first, _ = await bus.pull("judge", 2)
    assert (await bus.backlog())["judge"] == Backlog(pending=1, ack_pending=2)
    await first.ack()
    assert (await bus.backlog())["judge"] == Backlog(pending=1, ack_pending=1)
    assert (await bus.backlog())["attack"] == Backlog(pending=0, ack_pending=0)


async def test_purging_a_model_leaves_the_others(bus: NatsBus) -> None:
    await bus.publish(message("a", streams.work_gateway("gone")), {})
    await bus.publish(message("b", streams.work_gateway("here")), {})
    await bus.purge_model("gone")
    assert await bus.pull(streams.gateway_consumer("gone"), 4) == []
    assert len(await patiently_take(bus, streams.gateway_consumer("here"))) == 1


async def test_more_consumers_than_a_page_are_all_seen(nats_url: str, bus: NatsBus) -> None:
    client = await nats.connect(nats_url)
    js = client.jetstream()
    for number in range(260):
        await js.add_consumer("WORK_GATEWAY", streams.consumer_config(f"gateway-m{number}"))
    await client.close()
    assert len(await bus.backlog()) == 260 + len(streams.FIXED_CONSUMERS)


async def test_what_no_server_takes_is_rejected(bus: NatsBus) -> None:
    with pytest.raises(Reject, match="9000000 bytes"):
        await bus.publish(Outgoing(streams.WORK_JUDGE, "a", b"x" * 9_000_000), {})


async def test_headers_of_any_text_travel(bus: NatsBus) -> None:
    await bus.publish(message("a"), {"Libra-Reason": "line one\r\nline two: Köln \ud800", "other": ""})
    (delivery,) = await patiently_take(bus, "judge")
    assert delivery.headers["Libra-Reason"] == "line one line two: Köln \\ud800"


async def test_a_sign_of_life_and_a_second_settlement_do_no_harm(bus: NatsBus) -> None:
    await bus.publish(message("a"), {})
    (delivery,) = await patiently_take(bus, "judge")
    await delivery.working()
    await delivery.ack()
    with pytest.raises(Unavailable):
        await delivery.nak(0.0)


async def test_signals_reach_whoever_listens(bus: NatsBus, nats_url: str) -> None:
    async with connected(nats_url) as other, asyncio.timeout(SECONDS):
        heard = other.listen(streams.event_run("*"))
        first = asyncio.ensure_future(anext(heard))
        while not first.done():
            await bus.signal(streams.event_run("r1"), b"x")
            await asyncio.sleep(0.02)
        assert first.result() == ("event.run.r1", b"x")
        await heard.aclose()  # type: ignore[attr-defined]  # it is a generator


async def test_a_killed_server_that_comes_back_has_lost_nothing(server: Own) -> None:
    async with connected(server.url) as bus:
        await bus.ensure()
        heard = bus.listen(streams.event_board())
        first = asyncio.ensure_future(anext(heard))
        for key in ("a", "b"):
            await bus.publish(message(key), {})
        (in_hand,) = await bus.pull("judge", 1)
        server.kill()
        with pytest.raises(Unavailable):
            await bus.publish(message("c"), {})
        await server.start()
        await patiently_put(bus, message("c"))
        await until_back(bus)
        # What it had given out it may not have written down; then it gives it out again, and an early answer means nothing.
        with contextlib.suppress(Unavailable):
            await in_hand.ack()
        found = {delivery.key for delivery in await patiently_take(bus, "judge", 2)}
        assert {"b", "c"} <= found | {delivery.key for delivery in await bus.pull("judge", 4)}
        async with asyncio.timeout(SECONDS):
            while not first.done():
                await bus.signal(streams.event_board(), b"")
                await asyncio.sleep(0.05)
        await heard.aclose()  # type: ignore[attr-defined]  # it is a generator


async def test_a_server_that_stood_still_while_a_pull_was_called_off_is_heard_again(server: Own) -> None:
    async with connected(server.url) as bus:
        await bus.ensure()
        assert await bus.pull("judge", 1) == []
        server.now.process.send_signal(signal.SIGSTOP)
        with contextlib.suppress(Unavailable):
            await bus.pull("judge", 1)  # until it is given up
        await asyncio.sleep(0.1)
        server.now.process.send_signal(signal.SIGCONT)
        await patiently_put(bus, message("a"))
        (delivery,) = await patiently_take(bus, "judge")
        await delivery.ack()


async def test_a_server_whose_data_was_deleted_is_furnished_again(server: Own) -> None:
    async with connected(server.url) as bus:
        await bus.ensure()
        await bus.publish(message("a"), {})
        gateway = streams.gateway_consumer("m.1")
        assert await bus.pull(gateway, 1) == []
        (lost,) = await patiently_take(bus, "judge")
        server.kill()
        server.delete_data()
        await server.start()
        await patiently_put(bus, message("b"))
        await patiently_put(bus, message("c", streams.work_gateway("m.1")))
        assert [delivery.key for delivery in await patiently_take(bus, "judge")] == ["b"]
        assert [delivery.key for delivery in await patiently_take(bus, gateway)] == ["c"]
        # Another message stands in its place, in hand, and nobody has done it.
        with pytest.raises(Unavailable, match="its stream was deleted and created again"):
            await lost.ack()
        assert (await bus.backlog())["judge"].ack_pending == 1
        assert set(await bus.backlog()) == {"attack", "writing", "judge", "ranking", gateway}


async def test_whoever_only_looks_finds_it_furnished_too(server: Own) -> None:
    async with connected(server.url) as bus:
        await bus.ensure()
        server.kill()
        server.delete_data()
        await server.start()
        await until_back(bus)
        assert set(await bus.backlog()) == {"attack", "writing", "judge", "ranking"}


async def test_closing_is_bounded_also_while_the_server_is_away(server: Own) -> None:
    bus = await NatsBus.connect(server.url, name="test")
    server.kill()
    async with asyncio.timeout(8):
        await bus.close()


async def test_a_foreign_stream_on_our_subjects_is_told_of(nats_url: str) -> None:
    client = await nats.connect(nats_url)
    js = client.jetstream()
    await js.add_stream(StreamConfig(name="OTHER", subjects=["work.>"]))
    await js.add_consumer("OTHER", ConsumerConfig(durable_name="judge"))
    async with connected(nats_url) as bus:
        with pytest.raises(Unavailable, match="overlap"):
            await bus.ensure()
    await client.close()


async def test_a_server_with_too_little_room_is_told_of_at_the_start(tmp_path: Path) -> None:
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
