"""What a stage needs of a queue; `libra.bus` and `libra.testing` each have one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to send: where to, under which key, and its bytes. Two messages with one key are one message."""

    subject: str
    key: str
    data: bytes


class QueueFull(Exception):
    """The queue takes no more on this subject now; the publisher is to wait."""


class Delivery(Protocol):
    """One delivery of one message. Exactly one of ack, nak and term ends it.

    These three and `working` raise `libra.errors.Unavailable` if the queue cannot be told. It then gives the message out again
    once it has waited for a sign of life in vain.
    """

    @property
    def data(self) -> bytes:
        """The bytes of the message."""
        ...

    @property
    def subject(self) -> str:
        """Where it was read from."""
        ...

    @property
    def key(self) -> str:
        """The key it was published under; the same at each delivery."""
        ...

    @property
    def attempt(self) -> int:
        """Which delivery of the message this is, from 1."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """What was published beside the bytes."""
        ...

    async def working(self) -> None:
        """Say that the work goes on, so that nobody else is given the message."""
        ...

    async def ack(self) -> None:
        """End the message: it is done."""
        ...

    async def nak(self, delay_seconds: float) -> None:
        """Have the message given out again, to anybody, after so long."""
        ...

    async def term(self) -> None:
        """End the message: it will not be done."""
        ...


class Bus(Protocol):
    """A durable queue with competing consumers. Every method raises `libra.errors.Unavailable` if it cannot be reached."""

    @property
    def ack_wait_seconds(self) -> float:
        """The queue gives a message out again after this long without a sign of life; one is given every third of it."""
        ...

    async def pull(self, consumer: str, limit: int) -> Sequence[Delivery]:
        """Return up to `limit` messages; an empty list if none came within a few seconds.

        A call that is cancelled takes none: what was on its way is given out again.
        """
        ...

    async def publish(self, message: Outgoing, headers: Mapping[str, str]) -> None:
        """Return once the message is stored; raise Full if it is refused for want of room.

        Reject if it can never be taken. After Unavailable it may be stored or not: the key makes a second try harmless.
        """
        ...
