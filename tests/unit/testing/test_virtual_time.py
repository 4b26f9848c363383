from __future__ import annotations

import asyncio
import time

import pytest

from libra.testing.virtual_time import Deadlock, simulate


def test_a_day_takes_a_moment() -> None:
    async def day() -> float:
        await asyncio.sleep(86_400)
        return asyncio.get_running_loop().time()

    began = time.monotonic()
    assert simulate(day()) == pytest.approx(86_400, abs=0.01)
    assert time.monotonic() - began < 1


def test_things_happen_in_the_order_of_their_times() -> None:
    async def race() -> list[int]:
        order: list[int] = []

        async def runner(number: int) -> None:
            await asyncio.sleep(number)
            order.append(number)

        await asyncio.gather(*(runner(number) for number in (30, 10, 20)))
        return order

    assert simulate(race()) == [10, 20, 30]


def test_what_waits_for_nothing_is_a_deadlock_or_out_of_time() -> None:
    async def forever() -> None:
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        simulate(forever(), limit_seconds=100)
    with pytest.raises(Deadlock):
        simulate(forever(), limit_seconds=None)
