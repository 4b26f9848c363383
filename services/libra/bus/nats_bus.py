"""The connection to NATS: pull, publish, events, backlog."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
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
from libra.bus.pull import ConsumerNotFound, pull
from libra.bus.write_check import ADVICE, UnansweredPublishes, find_write_problem
from libra.core.errors import Unavailable
from libra.core.timeouts import run_until_set
from libra.stage.bus import Outgoing
from libra.stage.errors import Reject
from libra.telemetry.log_actions import Action

if TYPE_CHECKING:
    from typing import Self

log = structlog.get_logger(__name__)

CONNECT_SECONDS = 2
RECONNECT_SECONDS = 0.5
WARN_EVERY_SECONDS = 10.0
"""Interval of warnings while the server is away."""

PUBLISH_SECONDS = 5.0
PUBLISH_TRIES = 3
"""All tries use the same key, so that a message which had arrived is not stored twice."""

PING_SECONDS = 2.0
CLOSE_SECONDS = 5.0
MAX_SIGNALS = 1024
"""Maximum unread events of a listener. More are dropped: an event only says that something changed."""

DENIED = "permissions violation"
"""Part of the text of a client error if the server does not let this user publish or subscribe to a subject."""

LISTENER_POLL_SECONDS = 5.0
CONSUMER_PAGE_SIZE = 256


@dataclass(frozen=True, slots=True)
class Backlog:
    """The messages of one consumer. Two are equal if as many messages wait and are handled."""

    pending: int
    """Not delivered yet."""

    ack_pending: int
    """Delivered and not acknowledged."""

    delivered: int = field(default=0, compare=False)
    """Deliveries so far, repeats included."""

    ack_pending_limit: int = field(default=0, compare=False)
    """At this many unacknowledged messages, the server delivers no more."""

    @property
    def settled(self) -> int:
        """Deliveries that have ended so far."""
        return self.delivered - self.ack_pending

    @property
    def unfinished(self) -> int:
        """All messages that are not acknowledged."""
        return self.pending + self.ack_pending


class NatsBus:
    """Implements `libra.stage.bus.Bus`. Before `open` has connected, every method raises Unavailable."""

    def __init__(
        self,
        url: str,
        *,
        name: str,
        replicas: int = 1,
        stage_bytes: int = streams.STAGE_BYTES,
        ack_wait_seconds: float = streams.ACK_WAIT_SECONDS,
    ) -> None:
        """`name` identifies the connection on the server; the rest configures streams and consumers it creates."""
        self.ack_wait_seconds = ack_wait_seconds
        self._url, self._name, self.replicas, self._stage_bytes = url, name, replicas, stage_bytes
        self.translate_errors = ErrorTranslator(url)
        """Translates the client's errors; for this package only."""
        self._client: PatchedClient | None = None
        self._js: JetStreamContext | None = None
        self._opened = asyncio.Event()
        self._provisioning = asyncio.Lock()
        self._warned_seconds = float("-inf")
        self._reopening: asyncio.Task[None] | None = None
        self._closing = False
        self._unanswered = UnansweredPublishes()
        self._denied = asyncio.Event()
        """Set when the server has denied something to this user: no reply comes, so that a request would time out."""

        self._denial = ""
        self._stream_created: dict[str, dt.datetime] = {}
        """The creation time of each stream; cleared when the connection is lost."""

    @classmethod
    async def connect(cls, url: str, *, name: str, replicas: int = 1) -> Self:
        """Return a connected bus; wait for the server as long as it takes."""
        bus = cls(url, name=name, replicas=replicas)
        await bus.open()
        return bus

    async def open(self) -> None:
        """Return once connected; failed attempts are logged."""
        client = PatchedClient()
        await client.connect(
            [one.strip() for one in self._url.split(",")],
            name=f"libra-{self._name}",
            inbox_prefix=f"_INBOX_{self._name}",  # so that permissions can keep replies from other services
            connect_timeout=CONNECT_SECONDS,
            reconnect_time_wait=RECONNECT_SECONDS,
            max_reconnect_attempts=-1,
            error_cb=self._on_error,
            disconnected_cb=self._on_disconnected,
            reconnected_cb=self._on_connected,
            closed_cb=self._on_closed,
        )
        self._client = client
        self._js = self._client.jetstream()
        self._opened.set()
        await self._on_connected()

    async def close(self) -> None:
        """Flush and close the connection, within some seconds."""
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
        """Create missing streams and fixed consumers; raises `libra.bus.provisioning.IncompatibleStream`."""
        await self._provision()

    async def ensure_consumer(self, model: str) -> None:
        """Create the consumer of one model's batches if it is missing; `pull` does this by itself."""
        await self._provision(streams.gateway_consumer(model))

    async def pull(self, consumer: str, limit: int) -> list[NatsDelivery]:
        """Return up to `limit` messages as soon as there is one; an empty list after two seconds without."""
        what = f"pull from {consumer}"
        try:
            return await self._pull(what, consumer, limit)
        except ConsumerNotFound:
            await self._provision(consumer)
        try:
            return await self._pull(what, consumer, limit)
        except ConsumerNotFound:
            raise self.translate_errors.unavailable(what, "the consumer was created, but does not reply yet") from None

    async def publish(self, message: Outgoing, headers: Mapping[str, str]) -> None:
        """Return once the message is stored; raise QueueFull, Unavailable, or Reject if it is too large."""
        what = f"publish to {message.subject}"
        sent = {name: _header_value(value) for name, value in headers.items()} | {KEY_HEADER: message.key}
        with self.translate_errors(what):
            for _ in range(PUBLISH_TRIES):
                js = self.jetstream(what)
                try:
                    # Not publish_async: in nats-py 2.16 its future never gets an error, such as that of a full queue.
                    await js.publish(message.subject, message.data, timeout=PUBLISH_SECONDS, headers=sent)
                    self._unanswered.remove(message.subject)
                    return
                except nats.errors.MaxPayloadError:
                    raise Reject(f"{what}: {len(message.data)} bytes exceed the server's max_payload") from None
                except NoStreamResponseError:  # the server has lost its data
                    await self._provision()
                except TimeoutError:  # it may be stored or not; its key makes another try harmless
                    continue
        self._unanswered.add(message.subject)
        raise self.translate_errors.unavailable(what, f"no reply in {PUBLISH_TRIES} tries")

    async def signal(self, subject: str, data: bytes) -> None:
        """Send an event to current subscribers. Without any it is lost, which is not an error."""
        if self._client is not None and self._client.is_connected:
            with contextlib.suppress(nats.errors.Error, OSError):
                await self._client.publish(subject, data)

    async def listen(self, subject: str) -> AsyncIterator[tuple[str, bytes]]:
        """Yield the subject and data of each event while the bus is open; events during an outage are lost."""
        received: asyncio.Queue[Msg] = asyncio.Queue(MAX_SIGNALS)

        async def receive(message: Msg) -> None:
            with contextlib.suppress(asyncio.QueueFull):
                received.put_nowait(message)

        while not self._closing:
            await self._opened.wait()
            client = self._client
            if client is None or client.is_closed:
                await asyncio.sleep(RECONNECT_SECONDS)
                continue
            subscription = await client.subscribe(subject, cb=receive)
            try:
                while not client.is_closed:
                    with contextlib.suppress(TimeoutError):
                        # Not `asyncio.wait_for`: before Python 3.12 it loses a cancel that comes together with a
                        # message.
                        async with asyncio.timeout(LISTENER_POLL_SECONDS):
                            message = await received.get()
                        yield message.subject, message.data
            finally:
                with contextlib.suppress(nats.errors.Error):
                    await subscription.unsubscribe()

    async def backlog(self) -> dict[str, Backlog]:
        """Return the backlog of each consumer by its name."""
        what = "read the backlog"
        found: dict[str, Backlog] = {}
        with self.translate_errors(what):
            while True:
                try:
                    for stream in streams.WORK:
                        for info in await self._consumers(what, str(stream.name)):
                            found[info.name] = _to_backlog(info)
                except NotFoundError:  # the server has lost its data
                    await self._provision()
                else:
                    return found

    async def ping(self) -> None:
        """Return if JetStream replies; raise Unavailable otherwise."""
        what = "ping JetStream"
        with self.translate_errors(what):
            async with asyncio.timeout(PING_SECONDS):
                await self.jetstream(what).account_info()

    async def check_writes(self) -> None:
        """Return if JetStream stores messages; raise Unavailable otherwise."""
        what = "check that NATS stores messages"
        with self.translate_errors(what):
            subjects = self._unanswered.subjects()
            problem = await find_write_problem(self.jetstream(what))
        if subjects and not problem:
            problem = f"it does not reply to messages on {', '.join(subjects)}"
        if problem:
            address = self.translate_errors.address
            raise Unavailable(f"the queue takes no messages: NATS at {address} replies, but {problem}; {ADVICE}")

    async def purge_model(self, model: str) -> None:
        """Delete the queued batches of one model."""
        what = f"delete the queued batches of {model}"
        with self.translate_errors(what), contextlib.suppress(NotFoundError):
            stream = streams.stream_of(streams.gateway_consumer(model))
            await self.jetstream(what).purge_stream(stream, subject=streams.work_gateway(model))

    def jetstream(self, what: str) -> JetStreamContext:
        """Return the client's JetStream context, for this package only; raise Unavailable if not connected."""
        if self._js is None or self._client is None or not self._client.is_connected:
            raise self.translate_errors.unavailable(what, "not connected")
        return self._js

    async def request(self, what: str, subject: str) -> bytes:
        """Return the server's reply to an empty request, for this package only."""
        self.jetstream(what)
        assert self._client is not None  # noqa: S101 - the line above says so
        with self.translate_errors(what):
            return (await self._client.request(subject, timeout=PING_SECONDS)).data

    async def _pull(self, what: str, consumer: str, limit: int) -> list[NatsDelivery]:
        self.jetstream(what)
        assert self._client is not None  # noqa: S101 - the line above says so
        stream = streams.stream_of(consumer)
        with self.translate_errors(what):
            try:
                made = await self._created_at(what, stream)
            except NotFoundError:
                raise ConsumerNotFound from None
            messages = await pull(self._client, stream, consumer, limit)
        return [NatsDelivery(message, self.translate_errors, made, self._check_stream) for message in messages]

    async def _consumers(self, what: str, stream: str) -> list[ConsumerInfo]:
        """Return all consumers of a stream."""
        found: list[ConsumerInfo] = []
        while True:
            page = await self.jetstream(what).consumers_info(stream, offset=len(found))
            found += page
            if len(page) < CONSUMER_PAGE_SIZE:
                return found

    async def _created_at(self, what: str, stream: str) -> dt.datetime:
        """Return when the stream was created; the server is asked once per connection."""
        if stream not in self._stream_created:
            info = await self.jetstream(what).stream_info(stream)
            self._stream_created[stream] = info.created or dt.datetime.fromtimestamp(0, dt.UTC)
        return self._stream_created[stream]

    async def _check_stream(self, stream: str, made: dt.datetime) -> None:
        """Raise Unavailable if the stream was not created at that time, since the server then has lost its data."""
        what = "acknowledge a message"
        self.jetstream(what)
        if await self._created_at(what, stream) != made:
            raise self.translate_errors.unavailable(what, "its stream was deleted and created again")

    async def _provision(self, consumer: str | None = None) -> None:
        """Create missing streams and consumers, also those that the server has lost."""
        what = "create the streams"
        with self.translate_errors(what):
            async with self._provisioning:
                self._stream_created.clear()
                self._denied.clear()
                if not await run_until_set(self._denied, self._create_missing(self.jetstream(what), consumer)):
                    reason = f"{self._denial}; a service with this right creates what is missing: start dispatch"
                    raise self.translate_errors.unavailable(what, reason)

    async def _create_missing(self, js: JetStreamContext, consumer: str | None) -> None:
        await provisioning.ensure(
            js, replicas=self.replicas, stage_bytes=self._stage_bytes, ack_wait_seconds=self.ack_wait_seconds
        )
        if consumer is not None:
            await provisioning.ensure_consumer(js, consumer, ack_wait_seconds=self.ack_wait_seconds)

    async def _on_connected(self) -> None:
        self._warned_seconds = float("-inf")
        log.info("connected to NATS", action=Action.BUS_FOUND, address=self.translate_errors.address)

    async def _on_disconnected(self) -> None:
        self._stream_created.clear()
        if not self._closing:
            log.warning("the connection to NATS is lost", action=Action.BUS_LOST, address=self.translate_errors.address)

    async def _on_error(self, error: Exception) -> None:
        if DENIED in str(error).lower():
            self._denial = f"this user has no right to do it: {error}"
            self._denied.set()
        now = time.monotonic()
        if now - self._warned_seconds >= WARN_EVERY_SECONDS:
            self._warned_seconds = now
            reason = str(error) or type(error).__name__
            log.warning(
                "NATS cannot be used", action=Action.BUS_LOST, address=self.translate_errors.address, reason=reason
            )

    async def _on_closed(self) -> None:
        # The client gives up when the server refuses it, for instance because of too many connections.
        if not self._closing:
            self._reopening = asyncio.create_task(self.open())


def _to_backlog(info: ConsumerInfo) -> Backlog:
    delivered = info.delivered.consumer_seq if info.delivered else 0
    return Backlog(info.num_pending or 0, info.num_ack_pending or 0, delivered, info.config.max_ack_pending or 0)


def _header_value(value: str) -> str:
    """Return a header's value as one line of valid UTF-8."""
    return " ".join(value.encode(errors="backslashreplace").decode().splitlines())
