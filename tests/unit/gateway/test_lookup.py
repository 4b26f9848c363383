"""One read of the store for a batch, and another one when it is old."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from libra.gateway.completion.lookup import MAX_AGE_SECONDS, Lookup
from libra.testing.virtual_time import simulate
from libra.v1.completion_pb2 import Completion


class MemoryCompletions:
    def __init__(self) -> None:
        self.stored: dict[str, Completion] = {}
        self.reads: list[Sequence[str]] = []

    async def find(self, keys: Sequence[str]) -> dict[str, Completion]:
        self.reads.append(list(keys))
        await asyncio.sleep(0.01)
        return {key: self.stored[key] for key in keys if key in self.stored}


def test_a_batch_is_read_at_once_and_again_when_the_read_is_old() -> None:
    async def story() -> None:
        store = MemoryCompletions()
        lookup = Lookup(store.find)
        for key in ("a", "b"):
            lookup.add(key)
        assert [*await asyncio.gather(lookup.find("a"), lookup.find("b"))] == [None, None]
        store.stored["b"] = Completion(id="b")
        assert await lookup.find_again("b") is None  # the read is recent
        await asyncio.sleep(2 * MAX_AGE_SECONDS)
        first, second = await asyncio.gather(lookup.find_again("a"), lookup.find_again("b"))
        assert first is None
        assert second == Completion(id="b")
        assert store.reads == [["a", "b"], ["a", "b"]]

    simulate(story())
