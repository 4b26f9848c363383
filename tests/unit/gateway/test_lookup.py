"""One look for a batch, and another one when it is old."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from libra.gateway.completion.lookup import OLD_SECONDS, Lookup
from libra.testing.virtual_time import simulate
from libra.v1.completion_pb2 import Completion


class Shelf:
    def __init__(self) -> None:
        self.kept: dict[str, Completion] = {}
        self.looks: list[Sequence[str]] = []

    async def find(self, names: Sequence[str]) -> dict[str, Completion]:
        self.looks.append(list(names))
        await asyncio.sleep(0.01)
        return {name: self.kept[name] for name in names if name in self.kept}


def test_a_batch_is_looked_for_at_once_and_again_after_a_while() -> None:
    async def story() -> None:
        shelf = Shelf()
        lookup = Lookup(shelf.find)
        for name in ("a", "b"):
            lookup.want(name)
        assert [*await asyncio.gather(lookup.find("a"), lookup.find("b"))] == [None, None]
        shelf.kept["b"] = Completion(id="b")
        assert await lookup.again("b") is None  # the look is a new one
        await asyncio.sleep(2 * OLD_SECONDS)
        first, second = await asyncio.gather(lookup.again("a"), lookup.again("b"))
        assert first is None
        assert second == Completion(id="b")
        assert shelf.looks == [["a", "b"], ["a", "b"]]

    simulate(story())
