"""The attack stage with a real nats-server: from a batch of dispatch to the gateway's and the judge's queue."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from prometheus_client import CollectorRegistry

from libra.attack.settings import Settings
from libra.attack.stage import stage
from libra.bus.dead_letters import DeadLetterRecord, DeadLetters
from libra.bus.nats_bus import NatsBus
from libra.bus.streams import ATTACK_CONSUMER, JUDGE_CONSUMER, WORK_ATTACK, gateway_consumer
from libra.stage.batch import content_key
from libra.stage.bus import Delivery, Outgoing
from libra.stage.runner import run
from libra.telemetry.metrics import Metrics
from libra.v1.batch_pb2 import BatchHeader, CompletionBatch, Trial, TrialBatch
from libra.v1.message_pb2 import Message

MODEL = "org.model"


@pytest.fixture
async def bus(nats_url: str) -> AsyncIterator[NatsBus]:
    connected = await NatsBus.connect(nats_url, name="test")
    await connected.ensure()
    await connected.ensure_consumer(MODEL)
    yield connected
    await connected.close()


@pytest.fixture
async def working(bus: NatsBus) -> AsyncIterator[None]:
    stop = asyncio.Event()
    running = asyncio.create_task(run(stage(Settings()), ATTACK_CONSUMER, bus, stop, Metrics(CollectorRegistry())))
    yield
    stop.set()
    async with asyncio.timeout(20):
        await running


def batch(attack: str, *texts: str, role: str = "user") -> TrialBatch:
    return TrialBatch(
        header=BatchHeader(run="run", model=MODEL, task="magnets@0123456789ab", attack=attack, seed=7),
        trials=[
            Trial(sample=index, messages=[Message(role=role, content=text)], fields={"topic": "physics"})
            for index, text in enumerate(texts)
        ],
    )


async def send(bus: NatsBus, data: bytes) -> None:
    # Dispatch makes the key of a message from this kind, too.
    await bus.publish(Outgoing(WORK_ATTACK, content_key("trials", data), data), {})


async def received(bus: NatsBus, consumer: str) -> Delivery:
    async with asyncio.timeout(15):
        while not (deliveries := await bus.pull(consumer, 1)):
            pass
    await deliveries[0].ack()
    return deliveries[0]


async def dead_letter(bus: NatsBus) -> DeadLetterRecord:
    async with asyncio.timeout(15):
        while not (letters := await DeadLetters(bus).list(after_seq=0, limit=1)):
            await asyncio.sleep(0.05)
    return letters[0]


@pytest.mark.usefixtures("working")
async def test_an_attacked_batch_arrives_at_its_models_queue(bus: NatsBus) -> None:
    sent = batch("do_anything_now", "How do magnets work?", "Why is \x00 the \x1b sea salt?")
    await send(bus, sent.SerializeToString(deterministic=True))
    arrived = TrialBatch.FromString((await received(bus, gateway_consumer(MODEL))).data)
    assert arrived.header == sent.header
    for before, after in zip(sent.trials, arrived.trials, strict=True):
        assert after.messages[0].content.endswith(before.messages[0].content)
        assert after.messages[0].content != before.messages[0].content


@pytest.mark.usefixtures("working")
async def test_an_unchanged_batch_is_not_dropped_as_a_repeat(bus: NatsBus) -> None:
    sent = batch("none", "How do magnets work?")
    await send(bus, sent.SerializeToString(deterministic=True))
    assert TrialBatch.FromString((await received(bus, gateway_consumer(MODEL))).data) == sent


@pytest.mark.usefixtures("working")
async def test_a_trial_of_two_mebibytes_arrives(bus: NatsBus) -> None:
    sent = batch("ciphering", "水" * 699_000)
    await send(bus, sent.SerializeToString(deterministic=True))
    arrived = await received(bus, gateway_consumer(MODEL))
    assert len(arrived.data) > 2_700_000
    assert [trial.sample for trial in TrialBatch.FromString(arrived.data).trials] == [0]


@pytest.mark.usefixtures("working")
async def test_a_trial_that_cannot_be_rewritten_goes_to_judge_as_failed(bus: NatsBus) -> None:
    await send(bus, batch("few_shots", "Be brief.", role="system").SerializeToString(deterministic=True))
    arrived = CompletionBatch.FromString((await received(bus, JUDGE_CONSUMER)).data)
    assert "the last message is the system's" in arrived.trials[0].completion.error


@pytest.mark.usefixtures("working")
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (batch("few_shot", "How do magnets work?").SerializeToString(), "did you mean few_shots"),
        (b"\xff\xff not a batch", ""),
    ],
)
async def test_an_invalid_batch_is_dead_lettered_and_the_stage_continues(
    bus: NatsBus, data: bytes, reason: str
) -> None:
    await send(bus, data)
    letter = await dead_letter(bus)
    assert (letter.stage, letter.subject, letter.data) == ("attack", WORK_ATTACK, data)
    assert reason in letter.reason
    await send(bus, batch("none", "Are you there?").SerializeToString(deterministic=True))
    assert await received(bus, gateway_consumer(MODEL))
