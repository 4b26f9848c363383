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


class Full(Exception):
    """The queue takes no more on this subject now; the publisher is to wait."""


class Delivery(Protocol):
    """One delivery of one message. Exactly one of ack, nak and term ends it."""

    @property
    def data(self) -> bytes: ...
    @property
    def subject(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def attempt(self) -> int:
        """Which delivery of the message this is, from 1."""
        ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    async def working(self) -> None:
        """Say that the work goes on, so that nobody else is given the message."""
        ...

    async def ack(self) -> None: ...
    async def nak(self, delay_seconds: float) -> None: ...
    async def term(self) -> None: ...


class Bus(Protocol):
    """A durable queue with competing consumers."""

    async def pull(self, consumer: str, limit: int) -> Sequence[Delivery]:
        """Return up to `limit` messages; an empty list if none came within a few seconds."""
        ...

    async def publish(self, message: Outgoing, headers: Mapping[str, str]) -> None:
        """Return once the message is stored; raise Full if it is refused for want of room."""
        ...
