"""One piece of work for everyone who wants the same at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Generic, TypeVar

T = TypeVar("T")


class Flight(Generic[T]):
    """A piece of work, and how many wait for it."""

    task: asyncio.Task[T]

    def __init__(self) -> None:
        self.waiters = 0
        self.under_way = False
        """Set while it must not be given up, because what it does is paid for."""

    @property
    def abandoned(self) -> bool:
        """Whether nobody waits any more; work that is no longer under way then ends."""
        return not self.waiters


class SingleFlight(Generic[T]):
    """Work by key. What nobody waits for any more is cancelled, unless it is under way: then it is done for the next."""

    def __init__(self) -> None:
        self._by_key: dict[str, Flight[T]] = {}
        # Asked for once: who asks each time has the process asked for its id, which is a call of the system.
        self._loop = asyncio.get_running_loop()

    def join(self, key: str, start: Callable[[Flight[T]], Coroutine[None, None, T]]) -> tuple[Flight[T], bool]:
        """Return the work on `key`, begun with `start` if there is none, and whether it was. To be left exactly once."""
        shared = self._by_key.get(key)
        first = shared is None or shared.task.done()
        if shared is None or first:
            shared = self._by_key[key] = Flight()
            shared.task = self._loop.create_task(start(shared))
            shared.task.add_done_callback(lambda _: self._forget(key, shared))
        shared.waiters += 1
        return shared, first

    def leave(self, key: str, shared: Flight[T]) -> None:
        """Wait no more."""
        shared.waiters -= 1
        if not shared.waiters and not shared.under_way and not shared.task.done():
            # Forgotten at once: whoever comes between the cancelling and the end must not join what is lost.
            self._forget(key, shared)
            shared.task.cancel()

    def under_way(self) -> list[asyncio.Task[T]]:
        """Return the work that must not be given up."""
        return [shared.task for shared in self._by_key.values() if shared.under_way]

    def _forget(self, key: str, shared: Flight[T]) -> None:
        if self._by_key.get(key) is shared:
            del self._by_key[key]
        if shared.task.done() and not shared.task.cancelled():
            shared.task.exception()  # whoever waited has it; if nobody did, it is no news
