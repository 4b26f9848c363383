"""A bus call that is cancelled at the moment of the server's answer ends as cancelled, on a real nats-server."""

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


async def pull_and_ack(bus: NatsBus) -> None:
    (delivery,) = await bus.pull(streams.JUDGE_CONSUMER, 1)
    await delivery.ack()


CALLS: dict[str, Callable[[NatsBus], Awaitable[object]]] = {
    "ack": pull_and_ack,
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


class CancellingAnswers:
    """Cancels the `waiting` task in the same step of the event loop in which the client receives an answer."""

    def __init__(self, client: PatchedClient) -> None:
        self.waiting: asyncio.Task[object] | None = None
        self._receive = client._request_sub_callback
        # The client subscribes the callback at its first request.
        client._request_sub_callback = self._receive_and_cancel  # type: ignore[assignment]  # mypy wants the same argument name

    async def _receive_and_cancel(self, message: Msg) -> None:
        await self._receive(message)
        if self.waiting:
            self.waiting.cancel()


@pytest.fixture
async def bus(nats_url: str) -> AsyncIterator[NatsBus]:
    opened = await NatsBus.connect(nats_url, name="test")
    yield opened
    await opened.close()


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
async def test_a_call_cancelled_at_the_moment_of_its_answer_ends_as_cancelled(
    bus: NatsBus, call: Callable[[NatsBus], Awaitable[object]]
) -> None:
    assert bus._client
    answers = CancellingAnswers(bus._client)
    await bus.ensure()
    await bus.publish(MESSAGE, {})
    answers.waiting = asyncio.create_task(call(bus))  # type: ignore[arg-type]  # a coroutine
    await asyncio.wait({answers.waiting}, timeout=SECONDS)
    assert answers.waiting.cancelled()


async def test_a_connection_cancelled_during_the_handshake_is_closed() -> None:
    closed = asyncio.Event()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.set()
        await reader.read()  # the server sends nothing, so the client waits for its INFO
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
