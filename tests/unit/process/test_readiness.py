"""Conditions under which a dependency counts as down."""

from __future__ import annotations

import asyncio

from libra.core.errors import Unavailable
from libra.process.readiness import DependencyCheck


class Disk:
    """A dependency that stores things, or not."""

    def __init__(self) -> None:
        self.is_full = False
        self.writes = 0

    async def write(self) -> None:
        self.writes += 1
        if self.is_full:
            raise Unavailable("no space is left")


async def test_a_success_is_good_for_a_while() -> None:
    disk = Disk()
    check = DependencyCheck("the disk", disk.write, every_seconds=60.0)
    assert [await check.problem() for _ in range(5)] == [""] * 5
    assert disk.writes == 1


async def test_a_failure_counts_once_it_has_lasted_and_ends_at_once() -> None:
    disk = Disk()
    check = DependencyCheck("the disk", disk.write, grace_seconds=0.2)
    disk.is_full = True
    assert await check.problem() == ""
    await asyncio.sleep(0.25)
    assert await check.problem() == "no space is left"
    disk.is_full = False
    assert await check.problem() == ""
    disk.is_full = True
    assert await check.problem() == ""  # a new failure has a new grace


async def test_one_slow_write_is_not_repeated_while_it_lasts() -> None:
    entered = 0

    async def hang() -> None:
        nonlocal entered
        entered += 1
        await asyncio.Event().wait()

    check = DependencyCheck("the disk", hang)
    assert "the disk has not replied" in await check.problem()
    assert "the disk has not replied" in await check.problem()
    assert entered == 1
    check.cancel()
