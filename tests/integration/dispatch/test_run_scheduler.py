"""A run is led to its end whatever the queue forgets and whoever dies, on a real nats-server and a real mongod."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from ulid import ULID

from libra.bus import streams
from libra.bus.nats_bus import NatsBus
from libra.dispatch.run_supervisor import RunSupervisor
from libra.dispatch.settings import Settings
from libra.errors import Unavailable
from libra.local.servers import NatsServer
from libra.stage.bus import Delivery
from libra.store.client import Store
from libra.store.runs import RunRecord, RunSection
from libra.telemetry.metrics import Metrics
from libra.v1.batch_pb2 import TrialBatch, VerdictBatch
from libra.v1.run_pb2 import Run, RunSpec, RunState
from libra.v1.task_pb2 import Category, JudgeSpec, Sample, Task
from libra.v1.verdict_pb2 import JudgeVersion, Outcome, Verdict

IMPATIENT = Settings(window_trials=256, lease_seconds=1.0, wake_seconds=0.2, quiet_seconds=0.6, sweeps=2)
TASK = Task(
    name="letters",
    version="0123456789ab",
    category=Category.CATEGORY_CAPABILITY,
    sample_count=200,
    judge=JudgeSpec(name="exact", options={"field": "answer"}),
)


@dataclass
class World:
    """The stages behind dispatch, as one consumer that answers every trial at once."""

    store: Store
    bus: NatsBus
    lost: set[int] = field(default_factory=set)
    """Samples whose first sending is acknowledged and forgotten."""
    poison: set[int] = field(default_factory=set)
    """Samples that never get a verdict."""
    sendings: dict[int, int] = field(default_factory=dict)

    async def work(self) -> None:
        await asyncio.gather(self.work_at("attack"), self.work_at("ranking"))

    async def work_at(self, consumer: str) -> None:
        while True:
            for delivery in await self.pull(consumer):
                if delivery.subject == "work.attack":
                    await self.answer(TrialBatch.FromString(delivery.data))
                else:
                    await self.store.verdicts.write([VerdictBatch.FromString(delivery.data)])
                await delivery.ack()

    async def pull(self, consumer: str) -> Sequence[Delivery]:
        try:
            return await self.bus.pull(consumer, 4)
        except Unavailable:
            await asyncio.sleep(0.1)
            return []

    async def answer(self, batch: TrialBatch) -> None:
        verdicts = []
        for trial in batch.trials:
            self.sendings[trial.sample] = self.sendings.get(trial.sample, 0) + 1
            if trial.sample in self.poison or (trial.sample in self.lost and self.sendings[trial.sample] == 1):
                continue
            judge = JudgeVersion(name="exact", version="1")
            verdicts.append(
                Verdict(sample=trial.sample, epoch=trial.epoch, outcome=Outcome.OUTCOME_SCORED, score=1, judge=judge)
            )
        if verdicts:
            await self.store.verdicts.write([VerdictBatch(header=batch.header, verdicts=verdicts)])


@pytest.fixture
async def world(nats_url: str, store: Store) -> AsyncIterator[World]:
    samples = [Sample(ordinal=n, id=str(n), fields={"answer": "a"}) for n in range(TASK.sample_count)]
    await store.tasks.add(TASK, samples)
    bus = await NatsBus.connect(nats_url, name="test")
    await bus.ensure()
    yield World(store, bus)
    await bus.close()


@asynccontextmanager
async def working(*coroutines: object) -> AsyncIterator[None]:
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]  # type: ignore[call-overload]  # coroutines all
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def desk(world: World, settings: Settings = IMPATIENT) -> RunSupervisor:
    return RunSupervisor(world.store, world.bus, Metrics(CollectorRegistry()), settings)


async def create(world: World, *, epochs: int = 3, attack: str = "few_shots") -> str:
    run = Run(
        id=str(ULID()),
        spec=RunSpec(models=["one", "two.1"], tasks=[f"letters@{TASK.version}"], attacks=[attack], epochs=epochs),
        state=RunState.RUN_STATE_RUNNING,
    )
    run.create_time.GetCurrentTime()
    sections = [RunSection(f"letters@{TASK.version}", attack, TASK.category, TASK.sample_count * epochs, TASK.judge)]
    await world.store.runs.insert(RunRecord(run=run, sections=sections, cursors={}, request_id=""))
    return run.id


async def begun(world: World) -> None:
    async with asyncio.timeout(20):
        while not any(any(record.cursors.values()) for record in await world.store.runs.list_running()):
            await asyncio.sleep(0.05)


async def ended(world: World, run: str, seconds: float = 20) -> dict[str, int]:
    async with asyncio.timeout(seconds):
        while True:
            record = await world.store.runs.get(run)
            assert record
            if record.run.state == RunState.RUN_STATE_FINISHED:
                break
            await asyncio.sleep(0.05)
    progress = await world.store.cells.count_outcomes(run)
    return {
        "scored": sum(counts.scored for counts in progress.values()),
        "failed": sum(counts.failed for counts in progress.values()),
    }


async def test_a_run_is_sent_whole_and_once(world: World) -> None:
    run = await create(world)
    async with working(desk(world).work(asyncio.Event()), world.work()):
        assert await ended(world, run) == {"scored": 1200, "failed": 0}
    assert set(world.sendings.values()) == {6}  # two models, three epochs


async def test_no_more_than_the_window_is_in_flight(world: World) -> None:
    run = await create(world)
    async with working(desk(world).work(asyncio.Event())):
        await asyncio.sleep(1.0)  # nobody answers
        record = await world.store.runs.get(run)
        assert record
        assert record.cursors == {"one": 256, "two.1": 256}


async def test_a_prompt_without_an_attack_goes_to_its_model_at_once(world: World) -> None:
    await create(world, epochs=1, attack="none")
    async with working(desk(world).work(asyncio.Event())), asyncio.timeout(10):
        for model in ("one", "two.1"):
            while not (deliveries := await world.pull(streams.gateway_consumer(model))):
                pass
            batch = TrialBatch.FromString(deliveries[0].data)
            assert (batch.header.model, batch.header.attack) == (model, "none")
    assert (await world.bus.backlog())["attack"].unfinished == 0


async def test_a_run_sends_ahead_what_its_model_has_answered_before_verdicts_tell(world: World) -> None:
    """Where one model's batches are answered and another's wait, though neither has a verdict yet."""
    for model in ("one", "two.1"):
        await world.bus.ensure_consumer(model)

    async def answer() -> None:
        while True:
            for delivery in await world.pull(streams.gateway_consumer("one")):
                await delivery.ack()

    unswept = replace(IMPATIENT, window_trials=4096, quiet_seconds=60.0)
    run = await create(world, epochs=50, attack="none")
    share = 5 * 64  # of a model whose entry does not say how much it takes, in whole batches: the least there is
    async with working(desk(world, unswept).work(asyncio.Event()), answer()), asyncio.timeout(20):
        while not (record := await world.store.runs.get(run)) or record.cursors.get("one", 0) <= 2 * share:
            await asyncio.sleep(0.05)
    assert record.cursors["two.1"] <= share


async def test_a_dead_replicas_run_is_carried_on_from_its_cursor(world: World) -> None:
    run = await create(world)
    async with working(desk(world).work(asyncio.Event())):
        await asyncio.sleep(0.5)
    async with working(desk(world).work(asyncio.Event()), world.work()):
        assert await ended(world, run) == {"scored": 1200, "failed": 0}


async def test_what_the_queue_forgot_is_sent_again(world: World) -> None:
    world.lost = {3, 77, 199}
    run = await create(world, epochs=1)
    async with working(desk(world).work(asyncio.Event()), world.work()):
        assert await ended(world, run) == {"scored": 400, "failed": 0}


async def test_a_trial_that_never_gets_a_verdict_is_declared_failed(world: World) -> None:
    world.poison = {5}
    run = await create(world, epochs=1)
    async with working(desk(world).work(asyncio.Event()), world.work()):
        assert await ended(world, run) == {"scored": 398, "failed": 2}
    verdicts = await world.store.verdicts.list(run, outcome=Outcome.OUTCOME_FAILED, limit=10)
    assert {verdict.sample for verdict in verdicts} == {5}
    assert "libra dead list" in verdicts[0].rationale


async def test_a_cancelled_run_is_led_no_further(world: World) -> None:
    run = await create(world)
    async with working(desk(world).work(asyncio.Event())):
        await asyncio.sleep(0.5)
        assert await world.store.runs.mark_ended(run, RunState.RUN_STATE_CANCELLED)
        await asyncio.sleep(0.5)
        before = await world.store.runs.get(run)
        async with working(world.work()):
            await asyncio.sleep(1.0)
        after = await world.store.runs.get(run)
        assert before
        assert after
        assert after.cursors == before.cursors


async def test_what_waits_for_a_stage_that_is_down_is_sent_again_but_never_given_up(world: World) -> None:
    run = await create(world, epochs=1)
    hasty = replace(IMPATIENT, quiet_seconds=0.2, patience_seconds=0.4, sweeps=0)
    async with working(desk(world, hasty).work(asyncio.Event())):
        await asyncio.sleep(2.0)  # nobody reads what is sent
        async with working(world.work()):
            assert await ended(world, run) == {"scored": 400, "failed": 0}
    assert max(world.sendings.values()) > 2  # two models


async def test_a_desk_that_is_told_to_stop_gives_its_runs_back(world: World) -> None:
    run = await create(world)
    stop, settings = asyncio.Event(), replace(IMPATIENT, lease_seconds=600.0)
    first = asyncio.create_task(desk(world, settings).work(stop))
    await begun(world)
    assert not await world.store.runs.acquire_lease(run, "another", 1.0)
    stop.set()
    await asyncio.wait_for(first, 2.0)
    async with working(desk(world, settings).work(asyncio.Event()), world.work()):
        assert await ended(world, run) == {"scored": 1200, "failed": 0}


async def test_two_desks_lead_a_run_once(world: World) -> None:
    run = await create(world)
    desks = [desk(world).work(asyncio.Event()) for _ in range(3)]
    async with working(*desks, world.work()):
        assert await ended(world, run) == {"scored": 1200, "failed": 0}
    assert set(world.sendings.values()) == {6}


async def test_a_run_goes_on_when_nats_has_lost_everything(world: World) -> None:
    run = await create(world)
    async with working(desk(world).work(asyncio.Event())):
        await begun(world)
        for stream in streams.STREAMS:
            await world.bus.jetstream("delete").delete_stream(str(stream.name))
        async with working(world.work()):
            assert await ended(world, run) == {"scored": 1200, "failed": 0}


async def test_a_run_waits_out_an_outage_of_nats(world: World, tmp_path: Path) -> None:
    server = NatsServer.start(tmp_path)
    bus = await NatsBus.connect(server.url, name="test")
    await bus.ensure()
    lost = World(world.store, bus)
    run = await create(lost)
    async with working(desk(lost).work(asyncio.Event())):
        await begun(lost)
        server.kill()
        await asyncio.sleep(1.5)
        server = NatsServer.start(tmp_path, port=server.port)
        async with working(lost.work()):
            assert await ended(lost, run, 30) == {"scored": 1200, "failed": 0}
    await bus.close()
    server.stop()
