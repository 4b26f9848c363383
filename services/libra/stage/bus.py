"""The queue that a stage works on, as Protocols; `libra.bus` and `libra.testing` implement them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to publish. The queue stores two messages with the same key once."""

    subject: str
    key: str
    data: bytes


class QueueFull(Exception):
    """The queue refuses messages on this subject for now; publish again later."""


class Delivery(Protocol):
    """One delivery of one message. Exactly one call of `ack`, `nak` or `term` settles it.

    These three and `working` raise `libra.core.errors.Unavailable` if the queue cannot be reached. The queue then redelivers
    the message once its acknowledgement is overdue.
    """

    @property
    def data(self) -> bytes:
        """The body of the message."""
        ...

    @property
    def subject(self) -> str:
        """The subject it was pulled from."""
        ...

    @property
    def key(self) -> str:
        """The key it was published under; the same for each delivery."""
        ...

    @property
    def attempt(self) -> int:
        """The number of this delivery of the message, from 1."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers it was published with."""
        ...

    async def working(self) -> None:
        """Extend the acknowledgement deadline: the message is still being handled."""
        ...

    async def ack(self) -> None:
        """Acknowledge the message: it is done."""
        ...

    async def nak(self, delay_seconds: float) -> None:
        """Have the message redelivered, to any replica, after the delay."""
        ...

    async def term(self) -> None:
        """Remove the message: it will never be done."""
        ...


class Bus(Protocol):
    """A durable queue with competing consumers.

    Every method raises `libra.core.errors.Unavailable` if it cannot be reached.
    """

    @property
    def ack_wait_seconds(self) -> float:
        """A message is redelivered if nothing was heard of it for this long; a stage reports every third of it."""
        ...

    async def pull(self, consumer: str, limit: int) -> Sequence[Delivery]:
        """Return up to `limit` messages; an empty list if none arrived within a few seconds.

        A cancelled call takes no message: those that were on their way are redelivered.
        """
        ...

    async def publish(self, message: Outgoing, headers: Mapping[str, str]) -> None:
        """Return once the message is stored.

        Raises:
            QueueFull: there is no room now.
            libra.stage.errors.Reject: the queue can never take this message.
            libra.core.errors.Unavailable: the message may be stored or not; its key makes publishing it again harmless.
        """
        ...
