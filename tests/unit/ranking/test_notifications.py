"""The publisher limits the rate of signals and loses none; the notifier wakes every waiting task."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

from libra.ranking.change_notifier import ChangeNotifier
from libra.ranking.run_event_publisher import RunEventPublisher


class SignalRecorder:
    """Records signals with their times."""

    def __init__(self) -> None:
        self.signals: list[tuple[str, float]] = []
        self.received = asyncio.Event()

    async def __call__(self, subject: str, data: bytes) -> None:
        self.signals.append((subject, time.monotonic()))
        self.received.set()


async def test_a_run_is_signalled_at_once_then_once_per_interval_and_at_the_end() -> None:
    recorder, stop = SignalRecorder(), asyncio.Event()
    publisher = RunEventPublisher(recorder, interval_seconds=0.1)
    work = asyncio.create_task(publisher.run(stop))
    started = time.monotonic()
    while time.monotonic() - started < 0.35:
        publisher.mark_changed("R1")
        await asyncio.sleep(0.005)
    publisher.mark_changed("R2")
    stop.set()
    async with asyncio.timeout(5):
        await work
    times = [moment for subject, moment in recorder.signals if subject == "event.run.R1"]
    assert times[0] - started < 0.09
    assert 3 <= len(times) <= 5
    assert recorder.signals[-1][0] == "event.run.R2"


async def test_the_last_change_is_signalled_without_a_later_one() -> None:
    recorder, stop = SignalRecorder(), asyncio.Event()
    publisher = RunEventPublisher(recorder, interval_seconds=0.05)
    work = asyncio.create_task(publisher.run(stop))
    async with asyncio.timeout(5):
        for run in ("R1", "R2"):
            publisher.mark_changed(run)
            await recorder.received.wait()
            recorder.received.clear()
    assert [subject for subject, _ in recorder.signals] == ["event.run.R1", "event.run.R2"]
    stop.set()
    await work


async def test_a_notification_wakes_every_waiting_task() -> None:
    notifier = ChangeNotifier()
    waiting = [asyncio.create_task(notifier.wait(60)) for _ in range(3)]
    await asyncio.sleep(0)
    notifier.notify()
    async with asyncio.timeout(5):
        await asyncio.gather(*waiting)
    started = time.monotonic()
    await notifier.wait(0.05)
    assert time.monotonic() - started >= 0.04


async def test_the_notifier_notifies_at_each_signal_until_it_is_stopped() -> None:
    notifier, stop, queue = ChangeNotifier(), asyncio.Event(), asyncio.Queue[tuple[str, bytes]]()

    async def stream() -> AsyncIterator[tuple[str, bytes]]:
        while True:
            yield await queue.get()

    listening = asyncio.create_task(notifier.listen(stream(), stop))
    waiting = asyncio.create_task(notifier.wait(60))
    await asyncio.sleep(0)
    queue.put_nowait(("event.board", b""))
    async with asyncio.timeout(5):
        await waiting
        stop.set()
        await listening
