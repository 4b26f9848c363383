"""A call of the bus that is cancelled just when the server's answer arrives ends as cancelled, on a real nats-server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from nats.aio.msg import Msg

from libra.bus import streams
from libra.bus.dead_letters import DeadLetters
from libra.bus.kv_bucket import KeyValueBucket
from libra.bus.nats_bus import NatsBus
from libra.bus.patched_client import PatchedClient
from libra.stage.bus import Outgoing

SECONDS = 10.0
MESSAGE = Outgoing(streams.WORK_JUDGE, "key", b"data")


async def take(bus: NatsBus) -> None:
    (delivery,) = await bus.pull(streams.JUDGE_CONSUMER, 1)
    await delivery.ack()


CALLS: dict[str, Callable[[NatsBus], Awaitable[object]]] = {
    "ack": take,
    "backlog": lambda bus: bus.backlog(),
    "bucket": lambda bus: KeyValueBucket(bus, streams.GRANTS).read("model"),
    "bucket's age": lambda bus: KeyValueBucket(bus, streams.GRANTS).age_seconds(),
    "dead letters": lambda bus: DeadLetters(bus).list(0, 10),
    "ensure": lambda bus: bus.ensure(),
    "ensure_consumer": lambda bus: bus.ensure_consumer("model"),
    "ping": lambda bus: bus.ping(),
    "publish": lambda bus: bus.publish(MESSAGE, {}),
    "purge_model": lambda bus: bus.purge_model("model"),
}


class Answers:
    """The answers that a client hears; each cancels the `waiting` task in the very step of the loop in which it arrives."""

    def __init__(self, client: PatchedClient) -> None:
        self.waiting: asyncio.Task[object] | None = None
        self._hear = client._request_sub_callback
        # The first request subscribes it.
        client._request_sub_callback = self._hear_and_cancel  # type: ignore[assignment]  # mypy wants the same argument name

    async def _hear_and_cancel(self, message: Msg) -> None:
        await self._hear(message)
        if self.waiting:
            self.waiting.cancel()


@pytest.fixture
async def bus(nats_url: str) -> AsyncIterator[NatsBus]:
    opened = await NatsBus.connect(nats_url, name="test")
    yield opened
    await opened.close()


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
async def test_a_call_that_is_cancelled_together_with_its_answer_ends(
    bus: NatsBus, call: Callable[[NatsBus], Awaitable[object]]
) -> None:
    assert bus._client
    answers = Answers(bus._client)
    await bus.ensure()
    await bus.publish(MESSAGE, {})
    answers.waiting = asyncio.create_task(call(bus))  # type: ignore[arg-type]  # a coroutine
    await asyncio.wait({answers.waiting}, timeout=SECONDS)
    assert answers.waiting.cancelled()


async def test_a_connection_that_is_cancelled_half_way_is_closed() -> None:
    closed = asyncio.Event()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.set()
        await reader.read()  # says nothing, so that the client waits for its greeting
        closed.set()
        writer.close()

    accepted = asyncio.Event()
    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server, asyncio.timeout(SECONDS):
        port = server.sockets[0].getsockname()[1]
        opening = asyncio.create_task(NatsBus(f"nats://127.0.0.1:{port}", name="test").open())
        await accepted.wait()
        opening.cancel()
        await asyncio.wait({opening})
        assert opening.cancelled()
        await closed.wait()
