from __future__ import annotations

import asyncio

import pytest

from libra.ranking.queries.coalescer import Coalescer


class Reads:
    """Returns 1, 2, 3 ... when it is released."""

    def __init__(self) -> None:
        self.count = 0
        self.released = asyncio.Event()

    async def read(self) -> int:
        self.count += 1
        number = self.count
        await self.released.wait()
        return number


async def start(coalescer: Coalescer[int], callers: int) -> list[asyncio.Task[int]]:
    tasks = [asyncio.create_task(coalescer.call()) for _ in range(callers)]
    for _ in range(5):
        await asyncio.sleep(0)
    return tasks


async def test_callers_during_a_read_share_the_next_one() -> None:
    reads = Reads()
    coalescer = Coalescer(reads.read)
    first = await start(coalescer, 3)
    later = await start(coalescer, 50)
    assert reads.count == 1
    reads.released.set()
    # What a caller gets was read after its call: the run that ended in between is in it.
    assert await asyncio.gather(*first) == [1] * 3
    assert await asyncio.gather(*later) == [2] * 50
    assert await coalescer.call() == 3


async def test_a_caller_that_gives_up_ends_no_read_of_others() -> None:
    reads = Reads()
    coalescer = Coalescer(reads.read)
    impatient, patient = await start(coalescer, 2)
    impatient.cancel()
    reads.released.set()
    assert await patient == 1


async def test_every_caller_gets_the_error_and_the_next_read_is_made() -> None:
    errors = [ValueError("the store is away"), None]

    async def read() -> int:
        if error := errors.pop(0):
            raise error
        return 7

    coalescer = Coalescer(read)
    found = await asyncio.gather(coalescer.call(), coalescer.call(), return_exceptions=True)
    assert [str(each) for each in found] == ["the store is away"] * 2
    assert await coalescer.call() == 7


async def test_a_read_that_nobody_waits_for_may_fail() -> None:
    async def read() -> int:
        await asyncio.sleep(0)
        raise ValueError("the store is away")

    coalescer = Coalescer(read)
    [caller] = await start(coalescer, 1)
    caller.cancel()
    with pytest.raises(ValueError, match="away"):
        await coalescer.call()
