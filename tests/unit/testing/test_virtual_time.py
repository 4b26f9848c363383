from __future__ import annotations

import asyncio
import time

import pytest

from libra.testing.virtual_time import Deadlock, simulate


def test_a_day_takes_less_than_a_second() -> None:
    async def day() -> float:
        await asyncio.sleep(86_400)
        return asyncio.get_running_loop().time()

    began = time.monotonic()
    assert simulate(day()) == pytest.approx(86_400, abs=0.01)
    assert time.monotonic() - began < 1


def test_tasks_wake_in_the_order_of_their_times() -> None:
    async def race() -> list[int]:
        order: list[int] = []

        async def runner(number: int) -> None:
            await asyncio.sleep(number)
            order.append(number)

        await asyncio.gather(*(runner(number) for number in (30, 10, 20)))
        return order

    assert simulate(race()) == [10, 20, 30]


def test_a_task_that_waits_forever_is_a_timeout_or_a_deadlock() -> None:
    async def forever() -> None:
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        simulate(forever(), limit_seconds=100)
    with pytest.raises(Deadlock):
        simulate(forever(), limit_seconds=None)
