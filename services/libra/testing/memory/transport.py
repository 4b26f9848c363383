"""The connection of a process to the servers that it shares with others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from libra.testing.memory.server import MemoryServer

T = TypeVar("T")


class Transport(Protocol):
    """Carries a process's exchanges with servers. It may fail before, during or after one, like a killed process."""

    async def __call__(self, exchange: Callable[[], Awaitable[T]]) -> T:
        """Run one exchange with a server and return its result."""
        ...


async def direct(exchange: Callable[[], Awaitable[T]]) -> T:
    """Run one exchange without faults."""
    return await exchange()


class MemoryClient:
    """One process's connection to the server."""

    def __init__(self, server: MemoryServer, transport: Transport) -> None:
        self.server, self._transport = server, transport

    async def send(self, work: Callable[[], T]) -> T:
        """Let the server carry out `work`; after Unavailable, it is unknown whether it was carried out."""
        return await self._transport(lambda: self.server.execute(work))
