"""The connection to NATS, and all that Libra does with it."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import nats
import nats.errors
import structlog
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import ConsumerInfo
from nats.js.errors import NoStreamResponseError, NotFoundError

from libra.bus import provisioning, streams
from libra.bus.delivery import KEY_HEADER, NatsDelivery
from libra.bus.error_translation import ErrorTranslator
from libra.bus.patched_client import PatchedClient
from libra.bus.pull import NoSuchConsumer, pull
from libra.stage.bus import Outgoing
from libra.stage.errors import Reject
from libra.telemetry.log_actions import Action

if TYPE_CHECKING:
    from typing import Self

log = structlog.get_logger(__name__)

CONNECT_SECONDS = 2
RECONNECT_SECONDS = 0.5
COMPLAIN_SECONDS = 10.0
"""A server that is away is told of this often."""

PUBLISH_SECONDS = 5.0
PUBLISH_TRIES = 3
"""Under one key, so that a second try of what had arrived is no second message."""

PING_SECONDS = 2.0
CLOSE_SECONDS = 5.0
MAX_SIGNALS = 1024
"""Signals that a listener has not taken; more are dropped: each says no more than "look"."""

LISTENER_LOOK_SECONDS = 5.0
CONSUMERS_A_PAGE = 256


@dataclass(frozen=True, slots=True)
class Backlog:
    """What a consumer has before it, in messages."""

    pending: int
    """Not given out yet."""

    ack_pending: int
    """Given out and not acknowledged."""

    @property
    def unfinished(self) -> int:
        """All of it."""
        return self.pending + self.ack_pending


class NatsBus:
    """Implements `libra.stage.bus.Bus`. It is made before there is a connection; until then everything is Unavailable."""

    def __init__(
        self,
        url: str,
        *,
        name: str,
        replicas: int = 1,
        stage_bytes: int = streams.STAGE_BYTES,
        ack_wait_seconds: float = streams.ACK_WAIT_SECONDS,
    ) -> None:
        """`name` shows in the server's list of connections; the rest is for streams and consumers that have to be made."""
        self.ack_wait_seconds = ack_wait_seconds
        self._url, self._name, self.replicas, self._stage_bytes = url, name, replicas, stage_bytes
        self.door = ErrorTranslator(url)
        """Translates the client's errors, for this room only."""
        self._client: PatchedClient | None = None
        self._js: JetStreamContext | None = None
        self._opened = asyncio.Event()
        self._restoring = asyncio.Lock()
        self._complained_seconds = float("-inf")
        self._reopening: asyncio.Task[None] | None = None
        self._closing = False
        self._made: dict[str, dt.datetime] = {}
        """When each stream was made; not known after the connection was lost."""

    @classmethod
    async def connect(cls, url: str, *, name: str, replicas: int = 1) -> Self:
        """Return a connected bus, however long it takes the server to be there."""
        bus = cls(url, name=name, replicas=replicas)
        await bus.open()
        return bus

    async def open(self) -> None:
        """Connect, and return when that has succeeded; who waits is told in the log."""
        client = PatchedClient()
        await client.connect(
            [one.strip() for one in self._url.split(",")],
            name=f"libra-{self._name}",
            connect_timeout=CONNECT_SECONDS,
            reconnect_time_wait=RECONNECT_SECONDS,
            max_reconnect_attempts=-1,
            error_cb=self._complain,
            disconnected_cb=self._lost,
            reconnected_cb=self._found,
            closed_cb=self._closed,
        )
        self._client = client
        self._js = self._client.jetstream()
        self._opened.set()
        await self._found()

    async def close(self) -> None:
        """Send what waits to be sent, and let go of the connection; takes no longer than some seconds."""
        self._closing = True
        if self._reopening:
            self._reopening.cancel()
        client = self._client
        if client is None:
            return
        with contextlib.suppress(nats.errors.Error, OSError):
            async with asyncio.timeout(CLOSE_SECONDS):
                if client.is_connected:
                    await client.flush(timeout=2)
                await client.close()

    async def ensure(self) -> None:
        """Have the streams and the consumers that are always there; `libra.bus.provisioning.LayoutDiffers` if one is another."""
        await self._restore()

    async def ensure_consumer(self, model: str) -> None:
        """Have the consumer of the batches for one model. `pull` does this by itself when it is not there."""
        await self._restore(streams.gateway_consumer(model))

    async def pull(self, consumer: str, limit: int) -> list[NatsDelivery]:
        """Return up to `limit` messages as soon as there is one; none after two seconds without."""
        what = f"pull from {consumer}"
        try:
            return await self._pull(what, consumer, limit)
        except NoSuchConsumer:
            await self._restore(consumer)
        try:
            return await self._pull(what, consumer, limit)
        except NoSuchConsumer:
            raise self.door.shut(what, "the consumer is made, but does not answer yet") from None

    async def publish(self, message: Outgoing, headers: Mapping[str, str]) -> None:
        """Return once the message is stored; raise Full, Unavailable, or Reject if it is larger than the server takes."""
        what = f"publish to {message.subject}"
        sent = {name: _carried(value) for name, value in headers.items()} | {KEY_HEADER: message.key}
        with self.door(what):
            for _ in range(PUBLISH_TRIES):
                js = self.jetstream(what)
                try:
                    # Not publish_async: in nats-py 2.16 a refusal never reaches its future, and a full queue is one.
                    await js.publish(message.subject, message.data, timeout=PUBLISH_SECONDS, headers=sent)
                    return
                except nats.errors.MaxPayloadError:
                    raise Reject(f"{what}: {len(message.data)} bytes are more than the server takes") from None
                except NoStreamResponseError:  # the server has lost its data
                    await self._restore()
                except TimeoutError:  # nobody knows whether it was stored; the key does
                    continue
        raise self.door.shut(what, f"no answer in {PUBLISH_TRIES} tries")

    async def signal(self, subject: str, data: bytes) -> None:
        """Tell whoever listens now. It is lost when nobody can hear it, and that is no error."""
        if self._client is not None and self._client.is_connected:
            with contextlib.suppress(nats.errors.Error, OSError):
                await self._client.publish(subject, data)

    async def listen(self, subject: str) -> AsyncIterator[tuple[str, bytes]]:
        """Yield the subject and data of each signal, for as long as the bus is open; none from while it was away."""
        heard: asyncio.Queue[Msg] = asyncio.Queue(MAX_SIGNALS)

        async def hear(message: Msg) -> None:
            with contextlib.suppress(asyncio.QueueFull):
                heard.put_nowait(message)

        while not self._closing:
            await self._opened.wait()
            client = self._client
            if client is None or client.is_closed:
                await asyncio.sleep(RECONNECT_SECONDS)
                continue
            subscription = await client.subscribe(subject, cb=hear)
            try:
                while not client.is_closed:
                    with contextlib.suppress(TimeoutError):
                        # Not `asyncio.wait_for`: before Python 3.12 it loses a cancel that comes together with a message.
                        async with asyncio.timeout(LISTENER_LOOK_SECONDS):
                            message = await heard.get()
                        yield message.subject, message.data
            finally:
                with contextlib.suppress(nats.errors.Error):
                    await subscription.unsubscribe()

    async def backlog(self) -> dict[str, Backlog]:
        """Return what each consumer has before it, by the consumer's name."""
        what = "look at the backlog"
        found: dict[str, Backlog] = {}
        with self.door(what):
            while True:
                try:
                    for stream in streams.WORK:
                        for info in await self._consumers(what, str(stream.name)):
                            found[info.name] = Backlog(info.num_pending or 0, info.num_ack_pending or 0)
                except NotFoundError:  # the server has lost its data
                    await self._restore()
                else:
                    return found

    async def ping(self) -> None:
        """Return if JetStream answers now; raise Unavailable otherwise."""
        what = "answer a ping"
        with self.door(what):
            async with asyncio.timeout(PING_SECONDS):
                await self.jetstream(what).account_info()

    async def purge_model(self, model: str) -> None:
        """Drop the batches that wait for one model."""
        what = f"drop what waits for {model}"
        with self.door(what), contextlib.suppress(NotFoundError):
            stream = streams.stream_of(streams.gateway_consumer(model))
            await self.jetstream(what).purge_stream(stream, subject=streams.work_gateway(model))

    def jetstream(self, what: str) -> JetStreamContext:
        """Return the client's JetStream, for this room only; raise Unavailable if the server is away."""
        if self._js is None or self._client is None or not self._client.is_connected:
            raise self.door.shut(what, "there is no connection")
        return self._js

    async def ask(self, what: str, subject: str) -> bytes:
        """Return what the server answers to an empty request, for this room only."""
        self.jetstream(what)
        assert self._client is not None  # noqa: S101 - the line above says so
        with self.door(what):
            return (await self._client.request(subject, timeout=PING_SECONDS)).data

    async def _pull(self, what: str, consumer: str, limit: int) -> list[NatsDelivery]:
        self.jetstream(what)
        assert self._client is not None  # noqa: S101 - the line above says so
        stream = streams.stream_of(consumer)
        with self.door(what):
            try:
                made = await self._made_at(what, stream)
            except NotFoundError:
                raise NoSuchConsumer from None
            messages = await pull(self._client, stream, consumer, limit)
        return [NatsDelivery(message, self.door, made, self._check) for message in messages]

    async def _consumers(self, what: str, stream: str) -> list[ConsumerInfo]:
        """Return all consumers of a stream."""
        found: list[ConsumerInfo] = []
        while True:
            page = await self.jetstream(what).consumers_info(stream, offset=len(found))
            found += page
            if len(page) < CONSUMERS_A_PAGE:
                return found

    async def _made_at(self, what: str, stream: str) -> dt.datetime:
        """Return when the stream was made; the server is asked once for each connection."""
        if stream not in self._made:
            info = await self.jetstream(what).stream_info(stream)
            self._made[stream] = info.created or dt.datetime.fromtimestamp(0, dt.UTC)
        return self._made[stream]

    async def _check(self, stream: str, made: dt.datetime) -> None:
        """Raise Unavailable if the stream is not the one that was made then, since the server has lost its data."""
        what = "settle a message"
        self.jetstream(what)
        if await self._made_at(what, stream) != made:
            raise self.door.shut(what, "the stream it was pulled from is gone, and another is in its place")

    async def _restore(self, consumer: str | None = None) -> None:
        """Make what the server has lost, or never had."""
        what = "make the streams"
        with self.door(what):
            async with self._restoring:
                self._made.clear()
                js = self.jetstream(what)
                await provisioning.ensure(
                    js,
                    replicas=self.replicas,
                    stage_bytes=self._stage_bytes,
                    ack_wait_seconds=self.ack_wait_seconds,
                )
                if consumer is not None:
                    await provisioning.ensure_consumer(js, consumer, ack_wait_seconds=self.ack_wait_seconds)

    async def _found(self) -> None:
        self._complained_seconds = float("-inf")
        log.info("connected to NATS", action=Action.BUS_FOUND, address=self.door.address)

    async def _lost(self) -> None:
        self._made.clear()
        if not self._closing:
            log.warning("the connection to NATS is lost", action=Action.BUS_LOST, address=self.door.address)

    async def _complain(self, error: Exception) -> None:
        now = time.monotonic()
        if now - self._complained_seconds >= COMPLAIN_SECONDS:
            self._complained_seconds = now
            said = str(error) or type(error).__name__
            log.warning("NATS cannot be reached", action=Action.BUS_LOST, address=self.door.address, reason=said)

    async def _closed(self) -> None:
        # The client gives up for good when the server refuses it, as one does that has too many connections.
        if not self._closing:
            self._reopening = asyncio.create_task(self.open())


def _carried(value: str) -> str:
    """Return a header's value as it can travel: one line of UTF-8."""
    return " ".join(value.encode(errors="backslashreplace").decode().splitlines())
