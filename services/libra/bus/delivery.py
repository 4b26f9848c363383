"""One delivery of one message from JetStream, as a stage knows it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from nats.aio.msg import Msg

from libra.bus.error_translation import ErrorTranslator

KEY_HEADER = "Nats-Msg-Id"
"""What the server knows repeats by."""

ACK_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class NatsDelivery:
    """Implements `libra.stage.bus.Delivery`. Settling it raises Unavailable if the server cannot be told."""

    message: Msg
    door: ErrorTranslator

    made: dt.datetime
    """When the stream was made that it was pulled from."""

    check: Callable[[str, dt.datetime], Awaitable[None]]
    """Raises Unavailable unless the stream of this name is the one that was made at this time.

    An acknowledgement names a place in the stream, no more. When the server has lost its data, another message may stand
    there, which nobody has done.
    """

    @property
    def data(self) -> bytes:
        """The bytes of the message."""
        return self.message.data

    @property
    def subject(self) -> str:
        """Where it was read from."""
        return self.message.subject

    @property
    def key(self) -> str:
        """The key it travels under; its place in the stream if it was sent without one."""
        metadata = self.message.metadata
        return (self.message.headers or {}).get(KEY_HEADER) or f"{metadata.stream}/{metadata.sequence.stream}"

    @property
    def attempt(self) -> int:
        """The server's count of deliveries, from 1."""
        return self.message.metadata.num_delivered

    @property
    def headers(self) -> Mapping[str, str]:
        """What the sender wrote beside the bytes."""
        return {name: value for name, value in (self.message.headers or {}).items() if not name.startswith("Nats-")}

    async def working(self) -> None:
        """Say that the work goes on."""
        with self.door("tell that the work goes on"):
            await self.check(self.message.metadata.stream, self.made)
            await self.message.in_progress()

    async def ack(self) -> None:
        """End the message; return once the server knows."""
        with self.door("acknowledge a message"):
            await self.check(self.message.metadata.stream, self.made)
            await self.message.ack_sync(timeout=ACK_SECONDS)

    async def nak(self, delay_seconds: float) -> None:
        """Have the message given out again after so long."""
        with self.door("hand a message back"):
            await self.check(self.message.metadata.stream, self.made)
            await self.message.nak(delay=delay_seconds or None)

    async def term(self) -> None:
        """End the message without its having been done."""
        with self.door("set a message aside"):
            await self.check(self.message.metadata.stream, self.made)
            await self.message.term()
