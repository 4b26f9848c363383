from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from libra.gateway.completion.single_flight import Flight, SingleFlight


class Kitchen:
    """Makes a dish for whoever wants it, once for all who want it at the same time."""

    def __init__(self) -> None:
        self.sharing: SingleFlight[str] = SingleFlight()
        self.begun = self.ended = 0
        self.go = asyncio.Event()

    def start(self, *, paid: bool = False) -> Callable[[Flight[str]], Any]:
        async def work(shared: Flight[str]) -> str:
            self.begun += 1
            shared.under_way = paid
            await self.go.wait()
            self.ended += 1
            return f"dish {self.begun}"

        return work

    async def want(self, key: str = "soup", *, paid: bool = False) -> str:
        shared, _ = self.sharing.join(key, self.start(paid=paid))
        try:
            return await asyncio.shield(shared.task)
        finally:
            self.sharing.leave(key, shared)


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def left(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await settled()


async def test_who_wants_the_same_at_the_same_time_shares_it() -> None:
    kitchen = Kitchen()
    guests = [asyncio.create_task(kitchen.want()) for _ in range(5)]
    other = asyncio.create_task(kitchen.want("stew"))
    await settled()
    kitchen.go.set()
    assert len({await guest for guest in guests}) == 1
    await other
    assert kitchen.begun == 2


async def test_one_who_leaves_takes_nothing_from_the_others() -> None:
    kitchen = Kitchen()
    first, second = (asyncio.create_task(kitchen.want()) for _ in range(2))
    await settled()
    await left(first)
    kitchen.go.set()
    assert await second == "dish 1"


async def test_what_nobody_wants_any_more_is_given_up() -> None:
    kitchen = Kitchen()
    await left(*(asyncio.create_task(kitchen.want()) for _ in range(2)))
    guests = [asyncio.create_task(kitchen.want()) for _ in range(2)]
    await settled()
    await left(*guests)
    kitchen.go.set()
    await settled()
    assert (kitchen.begun, kitchen.ended) == (1, 0)
    again = await kitchen.want()
    assert again == "dish 2"


async def test_what_is_paid_for_is_done_for_the_next() -> None:
    kitchen = Kitchen()
    guest = asyncio.create_task(kitchen.want(paid=True))
    await settled()
    await left(guest)
    assert len(kitchen.sharing.under_way()) == 1
    late = asyncio.create_task(kitchen.want())
    await settled()
    kitchen.go.set()
    assert await late == "dish 1"


async def test_a_failure_is_everyones_and_is_not_kept() -> None:
    sharing: SingleFlight[str] = SingleFlight()

    async def fail(_: Flight[str]) -> str:
        await asyncio.sleep(0)
        raise ValueError("burnt")

    joined = [sharing.join("soup", fail)[0] for _ in range(2)]
    for shared in joined:
        with pytest.raises(ValueError, match="burnt"):
            await asyncio.shield(shared.task)
        sharing.leave("soup", shared)
    shared, first = sharing.join("soup", fail)
    assert first
    sharing.leave("soup", shared)
    await settled()
