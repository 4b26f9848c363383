"""Batches through the gateway's runners, with a real nats-server, a real mongod, and a model over real HTTP."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from libra.bus.dead_letters import DeadLetterRecord, DeadLetters
from libra.bus.nats_bus import Backlog, NatsBus
from libra.bus.streams import JUDGE_CONSUMER, gateway_consumer, work_gateway
from libra.gateway.components import Components
from libra.gateway.model_supervisor import ModelSupervisor
from libra.gateway.quota.lease_manager import LeaseManager
from libra.gateway.quota.lease_renewer import LeaseTiming
from libra.gateway.settings import Settings
from libra.stage.bus import Outgoing
from libra.store.client import Store
from libra.store.runs import RunRecord
from libra.telemetry.metrics import Metrics
from libra.testing.scripted_provider import Behaviour, ReceivedRequest, ScriptedProvider, says
from libra.v1.batch_pb2 import BatchHeader, CompletionBatch, Trial, TrialBatch
from libra.v1.completion_pb2 import FinishReason
from libra.v1.message_pb2 import Message
from libra.v1.model_pb2 import Model, ModelLimits, Provider
from libra.v1.run_pb2 import Run, RunSpec, RunState

NAME = "org.model-1"
QUICK = Settings(
    retry_attempts=2,
    retry_base_seconds=0.01,
    look_seconds=0.1,
    drain_seconds=5.0,
    renew_seconds=0.1,
    allowed_networks="loopback",
)
KEYS = (f"key-{number}" for number in itertools.count())


@dataclass
class World:
    """A gateway that can be started and stopped, its queues, and the model."""

    store: Store
    bus: NatsBus
    provider: ScriptedProvider = field(init=False)
    seconds: float = 0.0
    """Time that the model takes for an answer."""
    size: int = 1
    """Number of times that it repeats each answer."""

    def __post_init__(self) -> None:
        self.provider = ScriptedProvider(self.answer)

    def answer(self, asked: ReceivedRequest) -> Behaviour:
        return says(f"{asked.prompt}!" * self.size, after_seconds=self.seconds)

    @property
    def asked(self) -> list[str]:
        return [asked.prompt for asked in self.provider.requests]

    async def register(self, name: str = NAME, **limits: int) -> None:
        url, openai = self.provider.url, Provider.PROVIDER_OPENAI
        await self.store.models.add(Model(name=name, provider=openai, base_url=url, limits=ModelLimits(**limits)))

    async def send(self, batch: TrialBatch | bytes, name: str = NAME) -> None:
        data = batch if isinstance(batch, bytes) else batch.SerializeToString(deterministic=True)
        await self.bus.publish(Outgoing(work_gateway(name), next(KEYS), data), {})

    async def received(self, trials: int, seconds: float = 20) -> list[CompletionBatch]:
        """Return the batches for the judges, once they carry this many trials."""
        batches: list[CompletionBatch] = []
        async with asyncio.timeout(seconds):
            while sum(len(batch.trials) for batch in batches) < trials:
                for delivery in await self.bus.pull(JUDGE_CONSUMER, 16):
                    batches.append(CompletionBatch.FromString(delivery.data))
                    await delivery.ack()
        return batches

    async def waiting(self, consumer: str) -> Backlog:
        return (await self.bus.backlog()).get(consumer, Backlog(0, 0))

    async def done(self, name: str = NAME) -> None:
        """Return when no batch waits for the model or is being handled."""
        async with asyncio.timeout(20):
            while await self.waiting(gateway_consumer(name)) != Backlog(0, 0):
                await asyncio.sleep(0.05)

    async def asked_at_least(self, number: int) -> None:
        async with asyncio.timeout(20):
            while self.provider.count < number:
                await asyncio.sleep(0.01)

    @asynccontextmanager
    async def gateway(self, settings: Settings = QUICK) -> AsyncIterator[Components]:
        leases, stop = LeaseManager(self.bus, LeaseTiming(QUICK.renew_seconds)), asyncio.Event()
        components = Components.create(self.store, Metrics(CollectorRegistry()), settings, {}, leases)
        supervisor = ModelSupervisor(components, leases, self.bus, Metrics(CollectorRegistry()))
        working = asyncio.create_task(supervisor.work(stop))
        try:
            yield components
        finally:
            stop.set()
            async with asyncio.timeout(20):
                await working


@pytest.fixture
async def world(nats_url: str, store: Store) -> AsyncIterator[World]:
    bus = await NatsBus.connect(nats_url, name="test")
    await bus.ensure()
    await bus.ensure_consumer(NAME)
    made = World(store, bus)
    async with made.provider:
        yield made
    await bus.close()


def batch(texts: Sequence[str], run: str = "run", model: str = NAME, **header: Any) -> TrialBatch:
    return TrialBatch(
        header=BatchHeader(run=run, model=model, task="letters@0123456789ab", attack="none", **header),
        trials=[
            Trial(sample=place, messages=[Message(role="user", content=text)] if text else [], fields={"a": "b"})
            for place, text in enumerate(texts)
        ],
    )


def texts(number: int, prefix: str = "") -> list[str]:
    return [f"{prefix}{place}" for place in range(1, number + 1)]


async def test_a_batch_is_published_with_its_answers(world: World) -> None:
    await world.register()
    sent = batch(texts(64))
    async with world.gateway():
        await world.send(sent)
        (arrived,) = await world.received(64)
        await world.done()
    assert arrived.header == sent.header
    assert [each.trial for each in arrived.trials] == list(sent.trials)
    assert [each.completion.text for each in arrived.trials] == [f"{text}!" for text in texts(64)]
    kept = await world.store.completions.get_many([each.completion.id for each in arrived.trials])
    assert len(kept) == 64


async def test_a_replay_sends_no_request_and_is_one_message(world: World) -> None:
    await world.register()
    async with world.gateway():
        for _ in range(3):
            await world.send(batch(texts(10)))
            await world.done()
        (arrived,) = await world.received(10)
        assert await world.waiting(JUDGE_CONSUMER) == Backlog(0, 0)
    assert len(arrived.trials) == world.provider.count == 10


async def test_runs_share_answers_unless_they_are_fresh(world: World) -> None:
    await world.register()
    async with world.gateway():
        for run, fresh in (("one", False), ("two", False), ("three", True), ("four", True), ("three", True)):
            await world.send(batch(texts(5), run=run, fresh=fresh))
            await world.done()
    assert world.provider.count == 15


async def test_a_message_that_cannot_be_decoded_is_dead_lettered_and_the_stage_continues(world: World) -> None:
    await world.register()
    async with world.gateway():
        await world.send(b"\xff\xffnot a batch")
        await world.send(batch(["a"]))
        await world.received(1)
        letters: list[DeadLetterRecord] = []
        async with asyncio.timeout(20):
            while not letters:
                letters = await DeadLetters(world.bus).list(after_seq=0, limit=5)
    assert [(letter.stage, letter.data) for letter in letters] == [("gateway", b"\xff\xffnot a batch")]


async def test_an_unknown_model_and_an_empty_trial_are_outcomes(world: World) -> None:
    await world.register()
    async with world.gateway():
        await world.send(batch(["a", "b"], model="org.model-2"))
        (ghost,) = await world.received(2)
        await world.send(batch(["a", "", "c"]))
        (mixed,) = await world.received(3)
    assert [each.completion.finish_reason for each in ghost.trials] == [FinishReason.FINISH_REASON_ERROR] * 2
    assert "did you mean org.model-1" in ghost.trials[0].completion.error
    assert [each.completion.text for each in mixed.trials] == ["a!", "", "c!"]
    assert mixed.trials[1].completion.error == "there is no turn to answer"


async def test_long_answers_are_split_into_several_messages(world: World) -> None:
    await world.register()
    world.size = 100_000
    async with world.gateway():
        await world.send(batch(texts(9)))
        arrived = await world.received(9)
    assert [len(part.trials) for part in arrived] == [2, 2, 2, 2, 1]


async def start_run(world: World) -> str:
    run = Run(id="01JZ0000000000000000000001", spec=RunSpec(models=[NAME]), state=RunState.RUN_STATE_RUNNING)
    await world.store.runs.insert(RunRecord(run=run, sections=[], cursors={}))
    return run.id


async def test_no_request_is_sent_for_a_run_that_has_ended(world: World) -> None:
    await world.register()
    run = await start_run(world)
    await world.store.runs.mark_ended(run, RunState.RUN_STATE_CANCELLED)
    async with world.gateway():
        await world.send(batch(texts(64), run=run))
        await world.send(batch(["other"], run="other"))
        await world.received(1)
        await world.done()
    assert world.asked == ["other"]


async def test_cancelling_a_run_stops_the_spending_in_the_middle_of_a_batch(world: World) -> None:
    await world.register(max_in_flight=2)
    world.seconds = 0.3
    run = await start_run(world)
    async with world.gateway():
        await world.send(batch(texts(64), run=run))
        await world.asked_at_least(4)
        await world.store.runs.mark_ended(run, RunState.RUN_STATE_CANCELLED)
        await world.done()
        asked = world.provider.count
    assert asked == world.provider.count < 12
    assert await world.waiting(JUDGE_CONSUMER) == Backlog(0, 0)


async def test_a_stop_stores_paid_answers_and_returns_the_rest_to_the_queue(world: World) -> None:
    await world.register(max_in_flight=4)
    world.seconds = 0.3
    async with world.gateway():
        await world.send(batch(texts(40)))
        await world.asked_at_least(10)
    asked = world.provider.count
    assert asked <= 16
    world.seconds = 0.0
    async with world.gateway():
        (arrived,) = await world.received(40)
        await world.done()
    assert sorted(world.asked) == sorted(texts(40))  # each once
    assert [each.completion.attempts for each in arrived.trials].count(0) == asked


async def test_a_stop_finishes_a_batch_whose_requests_are_all_in_flight(world: World) -> None:
    await world.register(max_in_flight=64)
    world.seconds = 0.5
    async with world.gateway():
        await world.send(batch(texts(20)))
        await world.asked_at_least(20)
    assert sum(len(part.trials) for part in await world.received(20)) == 20
    await world.done()


async def test_models_can_be_registered_and_deleted_at_any_time(world: World) -> None:
    async with world.gateway():
        await world.send(batch(["early"]))  # waits for its model
        await world.register()
        await world.received(1)
        await world.store.models.delete(NAME)
        await world.register("other")
        await world.send(batch(["a"], model="other"), "other")
        await world.received(1)
        await world.send(batch(["late"]))
        await asyncio.sleep(0.5)
        late = await world.waiting(gateway_consumer(NAME))
        assert late.pending + late.ack_pending == 1  # ack_pending if it was being delivered when the runner ended
        await world.register()
        await world.received(1)
    assert world.asked == ["early", "a", "late"]


@pytest.mark.parametrize("size", [64, 10])
async def test_requests_in_flight_are_at_the_limit_while_there_is_work(world: World, size: int) -> None:
    await world.register(max_in_flight=40)
    world.seconds = 0.1
    levels: list[int] = []
    async with world.gateway() as components:
        for place in range(640 // size):
            await world.send(batch(texts(size, f"{place}/")))
        await world.asked_at_least(80)
        while world.provider.count < 560:
            levels.append(components.channels.in_flight(NAME))
            await asyncio.sleep(0.02)
        await world.received(640)
    assert world.provider.max_in_flight == 40
    assert sum(levels) / len(levels) > 30


async def test_a_replica_prefetches_no_more_than_it_can_use(world: World) -> None:
    await world.register(max_in_flight=4)
    world.seconds = 0.5
    for place in range(20):
        await world.send(batch(texts(64, f"{place}/")))
    async with world.gateway():
        await world.asked_at_least(8)
        backlog = await world.waiting(gateway_consumer(NAME))
    assert backlog.ack_pending <= 3


async def test_one_slow_model_does_not_delay_another(world: World) -> None:
    await world.register("slow", max_in_flight=1)
    await world.store.models.add(Model(name="refuser", provider=Provider.PROVIDER_SCRIPTED))
    world.seconds = 1.0
    async with world.gateway():
        await world.send(batch(texts(20), model="slow"), "slow")
        await world.asked_at_least(1)
        await world.send(batch(texts(64), model="refuser"), "refuser")
        (arrived,) = await world.received(64)
        assert world.provider.count <= 3
    assert {each.completion.text for each in arrived.trials} == {"I'm sorry, but I can't help with that."}


async def test_a_model_that_was_changed_and_changed_back_gets_a_new_runner(world: World) -> None:
    await world.register()
    async with world.gateway() as gateway:
        (model,) = await gateway.models.list()
        first = gateway.channels.get(model)
        await asyncio.sleep(3 * QUICK.look_seconds)
        changed = Model()
        changed.CopyFrom(model)
        changed.limits.max_in_flight = 3
        gateway.channels.get(changed)  # a call uses the changed model, and the next one the original again
        second = gateway.channels.get(model)
        assert second is not first
        await asyncio.sleep(3 * QUICK.look_seconds)
        await world.send(batch(["after"]))
        assert len(await world.received(1)) == 1
        assert gateway.channels.get(model) is second
