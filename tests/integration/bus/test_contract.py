"""The contract of a queue that stages rely on: the same tests on the in-memory queue and on a real nats-server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from libra.bus.nats_bus import NatsBus
from libra.bus.streams import MAX_MESSAGES_PER_SUBJECT
from libra.stage.bus import Bus, Delivery, Outgoing, QueueFull
from libra.testing.hostile_bus import HostileBus

SECONDS = 20.0


@pytest.fixture
async def real(nats_url: str) -> AsyncIterator[NatsBus]:
    bus = await NatsBus.connect(nats_url, name="test")
    await bus.ensure()
    yield bus
    await bus.close()


@pytest.fixture
def in_memory() -> HostileBus:
    return HostileBus()


@pytest.fixture(params=["in_memory", "real"])
def bus(request: pytest.FixtureRequest) -> Bus:
    found: Bus = request.getfixturevalue(request.param)
    return found


async def pull_all(bus: Bus, consumer: str, count: int, *, limit: int = 16) -> list[Delivery]:
    """Pull until this many deliveries have arrived."""
    pulled: list[Delivery] = []
    async with asyncio.timeout(SECONDS):
        while len(pulled) < count:
            pulled += await bus.pull(consumer, limit)
    return pulled


async def publish(bus: Bus, *keys: str, subject: str = "work.judge") -> None:
    for key in keys:
        await bus.publish(Outgoing(subject, key, key.encode()), {"traceparent": f"of {key}"})


def keys(deliveries: Sequence[Delivery]) -> list[str]:
    return [delivery.key for delivery in deliveries]


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_messages_are_pulled_in_order_with_data_and_headers(bus: Bus) -> None:
    await publish(bus, "a", "b", "c")
    first, second, third = await pull_all(bus, "judge", 3)
    assert keys([first, second, third]) == ["a", "b", "c"]
    assert (first.subject, first.data, first.attempt) == ("work.judge", b"a", 1)
    assert dict(first.headers) == {"traceparent": "of a"}


async def test_a_pull_returns_at_most_its_limit(bus: Bus) -> None:
    await publish(bus, "a", "b", "c")
    assert keys(await bus.pull("judge", 2)) == ["a", "b"]
    assert keys(await bus.pull("judge", 2)) == ["c"]


async def test_a_pull_returns_empty_after_seconds_and_early_when_a_message_arrives(bus: Bus) -> None:
    began = now()
    assert await bus.pull("judge", 4) == []
    assert 0.5 < now() - began < 5
    pulling = asyncio.create_task(bus.pull("judge", 4))
    await asyncio.sleep(0.2)
    began = now()
    await publish(bus, "a")
    assert keys(await pulling) == ["a"]
    assert now() - began < 1


async def test_consumers_pull_from_their_own_subjects(bus: Bus) -> None:
    await publish(bus, "a", subject="work.judge")
    await publish(bus, "b", subject="work.gateway.m=2E1")
    await publish(bus, "c", subject="work.attack")
    assert keys(await bus.pull("gateway-m=2E1", 4)) == ["b"]
    assert keys(await bus.pull("attack", 4)) == ["c"]
    assert keys(await bus.pull("judge", 4)) == ["a"]


async def test_acknowledged_and_terminated_messages_are_not_redelivered(bus: Bus) -> None:
    await publish(bus, "a", "b")
    first, second = await pull_all(bus, "judge", 2)
    await first.ack()
    await second.term()
    assert await bus.pull("judge", 4) == []


async def test_a_repeated_key_is_dropped_also_after_the_first_message_was_acknowledged(bus: Bus) -> None:
    await publish(bus, "a", "a")
    (only,) = await pull_all(bus, "judge", 1)
    await only.ack()
    await publish(bus, "a")
    assert await bus.pull("judge", 4) == []


async def test_a_nak_redelivers_immediately_and_counts_the_attempt(bus: Bus) -> None:
    await publish(bus, "a")
    (first,) = await pull_all(bus, "judge", 1)
    began = now()
    await first.nak(0.0)
    (again,) = await pull_all(bus, "judge", 1)
    assert (again.key, again.attempt) == ("a", 2)
    assert now() - began < 0.5


async def test_a_nak_with_a_delay_redelivers_after_it(bus: Bus) -> None:
    await publish(bus, "a")
    (first,) = await pull_all(bus, "judge", 1)
    began = now()
    await first.nak(1.5)
    await pull_all(bus, "judge", 1)
    assert 1.4 < now() - began < 2.0


async def test_a_cancelled_pull_takes_no_message(bus: Bus) -> None:
    pulling = asyncio.create_task(bus.pull("judge", 4))
    await asyncio.sleep(0.2)
    pulling.cancel()
    await asyncio.gather(pulling, return_exceptions=True)
    await publish(bus, "a")
    assert keys(await bus.pull("judge", 4)) == ["a"]


async def test_pulls_cancelled_at_any_moment_lose_nothing(bus: Bus) -> None:
    names = [f"k{number}" for number in range(100)]
    publishing = asyncio.create_task(publish(bus, *names))
    got: set[str] = set()
    async with asyncio.timeout(SECONDS):
        for number in range(60):
            pulling = asyncio.create_task(bus.pull("judge", 3))
            await asyncio.sleep(number % 7 / 2000)
            pulling.cancel()
            for result in await asyncio.gather(pulling, return_exceptions=True):
                if not isinstance(result, BaseException):
                    got |= set(keys(result))
                    await asyncio.gather(*(delivery.ack() for delivery in result))
        await publishing
        while got != set(names):  # sooner than the ack wait: cancelled pulls return their messages
            for delivery in await bus.pull("judge", 16):
                got.add(delivery.key)
                await delivery.ack()


async def test_a_full_subject_raises_queue_full_and_others_continue(bus: Bus) -> None:
    full = "work.gateway.slow"
    filling = [Outgoing(full, f"k{number}", b"") for number in range(MAX_MESSAGES_PER_SUBJECT)]
    for start in range(0, len(filling), 512):
        await asyncio.gather(*(bus.publish(message, {}) for message in filling[start : start + 512]))
    with pytest.raises(QueueFull):
        await publish(bus, "one more", subject=full)
    await publish(bus, "fast", subject="work.gateway.fast")
    (first,) = await pull_all(bus, "gateway-slow", 1, limit=1)
    await first.ack()
    await publish(bus, "one more", subject=full)
