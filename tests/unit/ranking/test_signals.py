"""The announcer speaks seldom and forgets nothing; the bell wakes everyone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

from libra.ranking.change_notifier import ChangeNotifier
from libra.ranking.run_event_publisher import RunEventPublisher


class Ear:
    """Hears signals and when they came."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, float]] = []
        self.news = asyncio.Event()

    async def __call__(self, subject: str, data: bytes) -> None:
        self.heard.append((subject, time.monotonic()))
        self.news.set()


async def test_a_run_is_signalled_at_once_then_seldom_and_at_last_once_more() -> None:
    ear, stop = Ear(), asyncio.Event()
    announcer = RunEventPublisher(ear, every_seconds=0.1)
    work = asyncio.create_task(announcer.work(stop))
    began = time.monotonic()
    while time.monotonic() - began < 0.35:
        announcer.moved("R1")
        await asyncio.sleep(0.005)
    announcer.moved("R2")
    stop.set()
    async with asyncio.timeout(5):
        await work
    times = [moment for subject, moment in ear.heard if subject == "event.run.R1"]
    assert times[0] - began < 0.09
    assert 3 <= len(times) <= 5
    assert ear.heard[-1][0] == "event.run.R2"


async def test_the_last_word_is_said_though_nothing_follows() -> None:
    ear, stop = Ear(), asyncio.Event()
    announcer = RunEventPublisher(ear, every_seconds=0.05)
    work = asyncio.create_task(announcer.work(stop))
    async with asyncio.timeout(5):
        for run in ("R1", "R2"):
            announcer.moved(run)
            await ear.news.wait()
            ear.news.clear()
    assert [subject for subject, _ in ear.heard] == ["event.run.R1", "event.run.R2"]
    stop.set()
    await work


async def test_a_bell_wakes_everyone_who_waits() -> None:
    bell = ChangeNotifier()
    waiting = [asyncio.create_task(bell.wait(60)) for _ in range(3)]
    await asyncio.sleep(0)
    bell.ring()
    async with asyncio.timeout(5):
        await asyncio.gather(*waiting)
    began = time.monotonic()
    await bell.wait(0.05)
    assert time.monotonic() - began >= 0.04


async def test_a_bell_rings_with_the_signals_until_it_is_told_to_stop() -> None:
    bell, stop, said = ChangeNotifier(), asyncio.Event(), asyncio.Queue[tuple[str, bytes]]()

    async def signals() -> AsyncIterator[tuple[str, bytes]]:
        while True:
            yield await said.get()

    listening = asyncio.create_task(bell.listen(signals(), stop))
    waiting = asyncio.create_task(bell.wait(60))
    await asyncio.sleep(0)
    said.put_nowait(("event.board", b""))
    async with asyncio.timeout(5):
        await waiting
        stop.set()
        await listening
