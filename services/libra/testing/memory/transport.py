"""How a process reaches the servers it shares with others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from libra.testing.memory.server import MemoryServer

T = TypeVar("T")


class Transport(Protocol):
    """A process's way out. It may be cut before an exchange, after it or in its middle, as when the process is killed."""

    async def __call__(self, exchange: Callable[[], Awaitable[T]]) -> T:
        """Have one exchange with a server, and return what came of it."""
        ...


async def direct(exchange: Callable[[], Awaitable[T]]) -> T:
    """Have one exchange, with nothing in the way."""
    return await exchange()


class MemoryClient:
    """One process's connection to the server."""

    def __init__(self, server: MemoryServer, way: Transport) -> None:
        self.server, self._way = server, way

    async def send(self, work: Callable[[], T]) -> T:
        """Have `work` done by the server; raise Unavailable, after which it may be done or not."""
        return await self._way(lambda: self.server.execute(work))
