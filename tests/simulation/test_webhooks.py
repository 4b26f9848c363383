"""Each event reaches its receiver over a day of failures, although replicas of dispatch die at any call."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from prometheus_client import CollectorRegistry

from libra.core.http.poster import PostFailed, PostResponse
from libra.dispatch.webhooks.delivery_worker import DeliveryWorker, RetrySchedule
from libra.dispatch.webhooks.outbox import EventOutbox
from libra.dispatch.webhooks.signature import WebhookSecrets
from libra.store.continuous.webhooks import Event
from libra.telemetry.metrics import Metrics
from libra.testing.killable_process import KillableProcess
from libra.testing.memory import MemoryServer, MemoryStore, StoreFaults
from libra.testing.virtual_time import simulate
from libra.v1.webhook_pb2 import DeliveryState, Webhook

HOOK = Webhook(name="ci", url="https://hooks.example.com/", id="01A", secret_version=1)
DAY = 86_400.0
POLL_SECONDS = 60.0
DELIVERED, DEAD = DeliveryState.DELIVERY_STATE_DELIVERED, DeliveryState.DELIVERY_STATE_DEAD


@dataclass
class SimulatedReceiver:
    """Answers by the time of the clock, and keeps when it received which event."""

    answer: Callable[[float], int]
    received: list[tuple[float, str]] = field(default_factory=list)

    def receive(self, headers: dict[str, str]) -> int:
        now = asyncio.get_running_loop().time()
        self.received.append((now, headers["webhook-id"]))
        return self.answer(now)


class ProcessPoster:
    """Posts as one process does: it may die before or after the receiver has the event."""

    def __init__(self, receiver: SimulatedReceiver, process: KillableProcess) -> None:
        self._receiver, self._process = receiver, process

    async def post(self, text: str, headers: dict[str, str], body: bytes, timeout_seconds: float) -> PostResponse:
        async def exchange() -> int:
            await asyncio.sleep(0.1)
            return self._receiver.receive(headers)

        status = await self._process(exchange)
        if status == 0:
            raise PostFailed("no response")
        return PostResponse(status)


async def load_key() -> bytes:
    return b"k" * 32


def start(server: MemoryServer, receiver: SimulatedReceiver, calls: int | None = None) -> KillableProcess:
    process = KillableProcess("dispatch", calls=calls)
    store = MemoryStore(server, transport=process)
    worker = DeliveryWorker(
        store,  # type: ignore[arg-type]  # in memory
        WebhookSecrets(load_key),
        ProcessPoster(receiver, process),
        Metrics(CollectorRegistry()),
        timeout_seconds=15,
        poll_seconds=POLL_SECONDS,
        clock=server.now,
    )
    stop = asyncio.Event()
    process.start(worker.work(stop))
    process.start(EventOutbox(store, POLL_SECONDS).work(stop))  # type: ignore[arg-type]  # in memory
    return process


async def end(process: KillableProcess) -> None:
    process.kill()
    await process.wait_until_gone()


def event(number: int) -> Event:
    return Event("libra.run.finished", f"runs/{number}", {}, datetime(2026, 1, 1, tzinfo=UTC))


def test_a_receiver_that_is_away_is_tried_for_a_day_at_growing_intervals() -> None:
    async def scenario() -> None:
        server, receiver = MemoryServer(), SimulatedReceiver(lambda _: 503)
        store = MemoryStore(server)
        await store.webhooks.insert(HOOK)
        await store.events.emit(event(1))
        process = start(server, receiver)
        await asyncio.sleep(1.5 * DAY)
        await end(process)
        times = [time for time, _ in receiver.received]
        gaps = [later - earlier for earlier, later in pairwise(times)]
        assert len(times) == 8
        for gap, delay in zip(gaps, RetrySchedule().delays_seconds, strict=True):
            assert 0.9 * delay <= gap <= 1.1 * delay + 2 * POLL_SECONDS
        assert 0.9 * DAY <= times[-1] <= 1.2 * DAY
        [delivery] = await store.deliveries.list(limit=9)
        assert (delivery.state, delivery.attempts, delivery.result) == (DEAD, 8, "the receiver answered 503")

    simulate(scenario())


def test_two_receivers_that_were_away_are_not_tried_again_at_the_same_moment() -> None:
    schedule = RetrySchedule()
    delays = {schedule.delay_after(3, chance) for chance in (0.0, 0.5, 1.0)}
    assert sorted(delay or 0 for delay in delays) == pytest.approx([1_620, 1_800, 1_980])
    assert schedule.delay_after(8, 0.5) is None


@pytest.mark.parametrize("seed", range(4))
def test_every_event_arrives_under_its_id_while_replicas_die(seed: int) -> None:
    events, kills = 12, 15

    async def scenario() -> None:
        rng = random.Random(seed)
        server = MemoryServer(seed=seed, faults=StoreFaults(lost_requests=0.03, lost_responses=0.03))
        receiver = SimulatedReceiver(lambda _: rng.choice([204, 500, 0]))
        faults, server.faults = server.faults, StoreFaults()
        store = MemoryStore(server)
        await store.webhooks.insert(HOOK)
        for number in range(events):
            await store.events.emit(event(number))
        server.faults = faults
        for _ in range(kills):
            replicas = [start(server, receiver, rng.randrange(1, 60)) for _ in range(2)]
            await asyncio.sleep(rng.random() * 900)
            for replica in replicas:
                await end(replica)
        server.faults = StoreFaults()
        receiver.answer = lambda _: 204
        survivor = start(server, receiver)
        await asyncio.sleep(DAY)
        await end(survivor)
        arrived = Counter(name for _, name in receiver.received)
        assert set(arrived) == {event(number).id for number in range(events)}
        assert [each["state"] for each in server.deliveries.values()] == [DELIVERED] * events

    simulate(scenario())
