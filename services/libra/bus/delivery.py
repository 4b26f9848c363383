"""One delivery of a JetStream message."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from nats.aio.msg import Msg

from libra.bus.error_translation import ErrorTranslator

KEY_HEADER = "Nats-Msg-Id"
"""The server drops a message whose value of this header it has stored within the deduplication window."""

ACK_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class NatsDelivery:
    """Implements `libra.stage.bus.Delivery`. Acknowledging raises Unavailable if the server cannot be reached."""

    message: Msg
    translate_errors: ErrorTranslator

    stream_created: dt.datetime
    """Creation time of the stream from which the message was pulled."""

    check_stream: Callable[[str, dt.datetime], Awaitable[None]]
    """Raises Unavailable unless the stream of this name is the one that was created at this time.

    An acknowledgement contains no more than a sequence number. After the server has lost its data, that number may
    belong to another message, which nobody has handled."""

    @property
    def data(self) -> bytes:
        """The body of the message."""
        return self.message.data

    @property
    def subject(self) -> str:
        """The subject it was pulled from."""
        return self.message.subject

    @property
    def key(self) -> str:
        """The key it was published under; stream and sequence number if it was published without one."""
        metadata = self.message.metadata
        return (self.message.headers or {}).get(KEY_HEADER) or f"{metadata.stream}/{metadata.sequence.stream}"

    @property
    def attempt(self) -> int:
        """The server's count of deliveries, from 1."""
        return self.message.metadata.num_delivered

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers it was published with."""
        return {name: value for name, value in (self.message.headers or {}).items() if not name.startswith("Nats-")}

    async def working(self) -> None:
        """Extend the acknowledgement deadline."""
        with self.translate_errors("extend an acknowledgement deadline"):
            await self.check_stream(self.message.metadata.stream, self.stream_created)
            await self.message.in_progress()

    async def ack(self) -> None:
        """Acknowledge the message; return once the server has confirmed."""
        with self.translate_errors("acknowledge a message"):
            await self.check_stream(self.message.metadata.stream, self.stream_created)
            await self.message.ack_sync(timeout=ACK_SECONDS)

    async def nak(self, delay_seconds: float) -> None:
        """Have the message redelivered after the delay."""
        with self.translate_errors("hand a message back"):
            await self.check_stream(self.message.metadata.stream, self.stream_created)
            await self.message.nak(delay=delay_seconds or None)

    async def term(self) -> None:
        """Remove the message from the queue."""
        with self.translate_errors("remove a message"):
            await self.check_stream(self.message.metadata.stream, self.stream_created)
            await self.message.term()
