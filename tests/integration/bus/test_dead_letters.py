"""Dead letters on a real nats-server can be listed, read and replayed."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator

import nats
import pytest

from libra.bus import streams
from libra.bus.dead_letters import DeadLetters
from libra.bus.delivery import NatsDelivery
from libra.bus.nats_bus import NatsBus
from libra.core.errors import FailedPrecondition, NotFound
from libra.stage import dead_letter
from libra.stage.bus import Outgoing, QueueFull

SECONDS = 20.0


@pytest.fixture
async def bus(nats_url: str) -> AsyncIterator[NatsBus]:
    bus = await NatsBus.connect(nats_url, name="test")
    await bus.ensure()
    yield bus
    await bus.close()


async def pull_one(bus: NatsBus, consumer: str) -> NatsDelivery:
    """Pull until a message arrives, and return it."""
    async with asyncio.timeout(SECONDS):
        while not (deliveries := await bus.pull(consumer, 1)):
            pass
    return deliveries[0]


async def add_dead_letter(bus: NatsBus, stage: str, key: str, reason: str = "never") -> None:
    """Dead-letter a message as a stage does."""
    subject = "work.gateway.m=2E1" if stage == "gateway" else f"work.{stage}"
    await bus.publish(Outgoing(subject, key, key.encode()), {})
    delivery = await pull_one(bus, "gateway-m=2E1" if stage == "gateway" else stage)
    await bus.publish(*dead_letter.dead_letter(stage, delivery, reason, failures=3))
    await delivery.term()


async def test_a_letter_has_all_fields(bus: NatsBus) -> None:
    before = dt.datetime.now(dt.UTC)
    await add_dead_letter(bus, "gateway", "trials/1", "the model said \u2019no\u2019\nand then 'never'")
    (letter,) = await DeadLetters(bus).list(0, 10)
    assert letter.seq == 1
    assert letter.stage == "gateway"
    assert letter.reason == "the model said \u2019no\u2019 and then 'never'"
    assert letter.subject == "work.gateway.m=2E1"
    assert letter.key == "trials/1"
    assert letter.attempts == 3
    assert letter.data == b"trials/1"
    assert abs(letter.create_time - before) < dt.timedelta(seconds=30)
    assert await DeadLetters(bus).get(1) == letter


async def test_letters_are_listed_in_order_by_page_and_by_stage(bus: NatsBus) -> None:
    for number in range(5):
        await add_dead_letter(bus, "judge" if number % 2 else "ranking", f"k{number}")
    dead = DeadLetters(bus)
    assert [letter.seq for letter in await dead.list(0, 2)] == [1, 2]
    assert [letter.seq for letter in await dead.list(2, 10)] == [3, 4, 5]
    assert [letter.key for letter in await dead.list(0, 10, "judge")] == ["k1", "k3"]
    assert [letter.key for letter in await dead.list(2, 10, "judge")] == ["k3"]
    assert await dead.list(0, 10, "attack") == []
    assert await dead.list(5, 10) == []
    assert await dead.list(0, 10, "no. such > stage") == []


async def test_an_unknown_letter_is_not_found(bus: NatsBus) -> None:
    await add_dead_letter(bus, "judge", "k")
    for seq in (-1, 0, 2, 10**12):
        assert await DeadLetters(bus).get(seq) is None
    with pytest.raises(NotFound):
        await DeadLetters(bus).replay(2)


async def test_a_replay_publishes_the_message_to_its_stage_and_deletes_the_letter(bus: NatsBus) -> None:
    await add_dead_letter(bus, "judge", "k")
    await add_dead_letter(bus, "judge", "l")
    assert await DeadLetters(bus).replay(1) == "work.judge"
    delivery = await pull_one(bus, "judge")
    assert (delivery.data, delivery.attempt) == (b"k", 1)
    assert [letter.key for letter in await DeadLetters(bus).list(0, 10)] == ["l"]
    assert await DeadLetters(bus).get(1) is None


async def test_a_replayed_message_can_be_dead_lettered_and_replayed_again(bus: NatsBus) -> None:
    await add_dead_letter(bus, "judge", "k")
    dead = DeadLetters(bus)
    for seq in (1, 2, 3):
        await dead.replay(seq)
        delivery = await pull_one(bus, "judge")
        await bus.publish(*dead_letter.dead_letter("judge", delivery, "again", failures=1))
        await delivery.term()
        (letter,) = await dead.list(0, 10)
        assert letter.seq == seq + 1
        assert letter.data == b"k"


async def test_a_replay_to_a_full_queue_keeps_the_letter(bus: NatsBus) -> None:
    await add_dead_letter(bus, "judge", "k")
    filling = [Outgoing("work.judge", f"f{number}", b"") for number in range(streams.MAX_MESSAGES_PER_SUBJECT)]
    for start in range(0, len(filling), 512):
        await asyncio.gather(*(bus.publish(message, {}) for message in filling[start : start + 512]))
    with pytest.raises(QueueFull):
        await DeadLetters(bus).replay(1)
    assert await DeadLetters(bus).get(1)


async def test_a_letter_that_no_stage_wrote_is_listed_but_not_replayed(bus: NatsBus, nats_url: str) -> None:
    client = await nats.connect(nats_url)
    await client.jetstream().publish("dead.judge", b"")
    await client.close()
    (letter,) = await DeadLetters(bus).list(0, 10)
    assert (letter.stage, letter.subject, letter.key, letter.attempts, letter.data) == ("judge", "", "", 0, b"")
    with pytest.raises(FailedPrecondition, match="does not name the subject"):
        await DeadLetters(bus).replay(1)


async def test_a_deleted_stream_is_created_again_and_empty(bus: NatsBus, nats_url: str) -> None:
    client = await nats.connect(nats_url)
    await client.jetstream().delete_stream("DEAD")
    assert await DeadLetters(bus).list(0, 10) == []
    assert await DeadLetters(bus).get(1) is None
    assert (await client.jetstream().stream_info(str(streams.DEAD.name))).state.messages == 0
    await client.close()
