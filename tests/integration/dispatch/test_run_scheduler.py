"""Every run ends, whatever the queue loses and whichever replica dies, on a real nats-server and a real mongod."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from tests.integration.support.background_tasks import running
from ulid import ULID

from libra.bus import streams
from libra.bus.nats_bus import NatsBus
from libra.core.errors import Unavailable
from libra.dispatch.run_supervisor import RunSupervisor
from libra.dispatch.settings import Settings
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
class Pipeline:
    """The stages after dispatch, as one consumer that gives every trial a verdict at once."""

    store: Store
    bus: NatsBus
    lost: set[int] = field(default_factory=set)
    """Samples whose trials are acknowledged and dropped when they are first sent."""
    poison: set[int] = field(default_factory=set)
    """Samples whose trials never get a verdict."""
    times_sent: dict[int, int] = field(default_factory=dict)

    async def work(self) -> None:
        await asyncio.gather(self.work_at("attack"), self.work_at("ranking"))

    async def work_at(self, consumer: str) -> None:
        while True:
            for delivery in await self.pull(consumer):
                if delivery.subject == "work.attack":
                    await self.settle(TrialBatch.FromString(delivery.data))
                else:
                    await self.store.verdicts.write([VerdictBatch.FromString(delivery.data)])
                await delivery.ack()

    async def pull(self, consumer: str) -> Sequence[Delivery]:
        try:
            return await self.bus.pull(consumer, 4)
        except Unavailable:
            await asyncio.sleep(0.1)
            return []

    async def settle(self, batch: TrialBatch) -> None:
        verdicts = []
        for trial in batch.trials:
            self.times_sent[trial.sample] = self.times_sent.get(trial.sample, 0) + 1
            if trial.sample in self.poison or (trial.sample in self.lost and self.times_sent[trial.sample] == 1):
                continue
            judge = JudgeVersion(name="exact", version="1")
            verdicts.append(
                Verdict(sample=trial.sample, epoch=trial.epoch, outcome=Outcome.OUTCOME_SCORED, score=1, judge=judge)
            )
        if verdicts:
            await self.store.verdicts.write([VerdictBatch(header=batch.header, verdicts=verdicts)])


@pytest.fixture
async def pipeline(nats_url: str, store: Store) -> AsyncIterator[Pipeline]:
    samples = [Sample(ordinal=n, id=str(n), fields={"answer": "a"}) for n in range(TASK.sample_count)]
    await store.tasks.add(TASK, samples)
    bus = await NatsBus.connect(nats_url, name="test")
    await bus.ensure()
    yield Pipeline(store, bus)
    await bus.close()


def supervisor(pipeline: Pipeline, settings: Settings = IMPATIENT) -> RunSupervisor:
    return RunSupervisor(pipeline.store, pipeline.bus, Metrics(CollectorRegistry()), settings)


async def create(pipeline: Pipeline, *, epochs: int = 3, attack: str = "few_shots") -> str:
    run = Run(
        id=str(ULID()),
        spec=RunSpec(models=["one", "two.1"], tasks=[f"letters@{TASK.version}"], attacks=[attack], epochs=epochs),
        state=RunState.RUN_STATE_RUNNING,
    )
    run.create_time.GetCurrentTime()
    sections = [RunSection(f"letters@{TASK.version}", attack, TASK.category, TASK.sample_count * epochs, TASK.judge)]
    await pipeline.store.runs.insert(RunRecord(run=run, sections=sections, cursors={}, request_id=""))
    return run.id


async def wait_until_sending(pipeline: Pipeline) -> None:
    async with asyncio.timeout(20):
        while not any(any(record.cursors.values()) for record in await pipeline.store.runs.list_running()):
            await asyncio.sleep(0.05)


async def counts_at_end(pipeline: Pipeline, run: str, seconds: float = 20) -> dict[str, int]:
    async with asyncio.timeout(seconds):
        while True:
            record = await pipeline.store.runs.get(run)
            assert record
            if record.run.state == RunState.RUN_STATE_FINISHED:
                break
            await asyncio.sleep(0.05)
    progress = await pipeline.store.cells.count_outcomes(run)
    return {
        "scored": sum(counts.scored for counts in progress.values()),
        "failed": sum(counts.failed for counts in progress.values()),
    }


async def test_every_trial_of_a_run_is_sent_once(pipeline: Pipeline) -> None:
    run = await create(pipeline)
    async with running(supervisor(pipeline).work(asyncio.Event()), pipeline.work()):
        assert await counts_at_end(pipeline, run) == {"scored": 1200, "failed": 0}
    assert set(pipeline.times_sent.values()) == {6}  # two models, three epochs


async def test_no_more_than_the_window_is_in_flight(pipeline: Pipeline) -> None:
    run = await create(pipeline)
    async with running(supervisor(pipeline).work(asyncio.Event())):
        await asyncio.sleep(1.0)  # no stage answers
        record = await pipeline.store.runs.get(run)
        assert record
        assert record.cursors == {"one": 256, "two.1": 256}


async def test_a_prompt_without_an_attack_goes_directly_to_its_model(pipeline: Pipeline) -> None:
    await create(pipeline, epochs=1, attack="none")
    async with running(supervisor(pipeline).work(asyncio.Event())), asyncio.timeout(10):
        for model in ("one", "two.1"):
            while not (deliveries := await pipeline.pull(streams.gateway_consumer(model))):
                pass
            batch = TrialBatch.FromString(deliveries[0].data)
            assert (batch.header.model, batch.header.attack) == (model, "none")
    assert (await pipeline.bus.backlog())["attack"].unfinished == 0


async def test_a_run_sends_more_to_a_model_whose_backlog_shrinks_before_any_verdict(pipeline: Pipeline) -> None:
    """One model's batches are acknowledged and another's wait; neither has a verdict yet."""
    for model in ("one", "two.1"):
        await pipeline.bus.ensure_consumer(model)

    async def acknowledge() -> None:
        while True:
            for delivery in await pipeline.pull(streams.gateway_consumer("one")):
                await delivery.ack()

    no_sweeps = replace(IMPATIENT, window_trials=4096, quiet_seconds=60.0)
    run = await create(pipeline, epochs=50, attack="none")
    share = 5 * 64  # the smallest share, in whole batches: that of a model whose entry sets no limit
    async with running(supervisor(pipeline, no_sweeps).work(asyncio.Event()), acknowledge()), asyncio.timeout(20):
        while not (record := await pipeline.store.runs.get(run)) or record.cursors.get("one", 0) <= 2 * share:
            await asyncio.sleep(0.05)
    assert record.cursors["two.1"] <= share


async def test_another_replica_continues_a_run_from_its_cursor(pipeline: Pipeline) -> None:
    run = await create(pipeline)
    async with running(supervisor(pipeline).work(asyncio.Event())):
        await asyncio.sleep(0.5)
    async with running(supervisor(pipeline).work(asyncio.Event()), pipeline.work()):
        assert await counts_at_end(pipeline, run) == {"scored": 1200, "failed": 0}


async def test_lost_trials_are_resent(pipeline: Pipeline) -> None:
    pipeline.lost = {3, 77, 199}
    run = await create(pipeline, epochs=1)
    async with running(supervisor(pipeline).work(asyncio.Event()), pipeline.work()):
        assert await counts_at_end(pipeline, run) == {"scored": 400, "failed": 0}


async def test_a_trial_that_never_gets_a_verdict_is_declared_failed(pipeline: Pipeline) -> None:
    pipeline.poison = {5}
    run = await create(pipeline, epochs=1)
    async with running(supervisor(pipeline).work(asyncio.Event()), pipeline.work()):
        assert await counts_at_end(pipeline, run) == {"scored": 398, "failed": 2}
    verdicts = await pipeline.store.verdicts.list(run, outcome=Outcome.OUTCOME_FAILED, limit=10)
    assert {verdict.sample for verdict in verdicts} == {5}
    assert "libra dead list" in verdicts[0].rationale


async def test_no_more_trials_of_a_cancelled_run_are_sent(pipeline: Pipeline) -> None:
    run = await create(pipeline)
    async with running(supervisor(pipeline).work(asyncio.Event())):
        await asyncio.sleep(0.5)
        assert await pipeline.store.runs.mark_ended(run, RunState.RUN_STATE_CANCELLED)
        await asyncio.sleep(0.5)
        before = await pipeline.store.runs.get(run)
        async with running(pipeline.work()):
            await asyncio.sleep(1.0)
        after = await pipeline.store.runs.get(run)
        assert before
        assert after
        assert after.cursors == before.cursors


async def test_trials_that_wait_for_a_stage_that_is_down_are_resent_but_not_given_up(pipeline: Pipeline) -> None:
    run = await create(pipeline, epochs=1)
    short_waits = replace(IMPATIENT, quiet_seconds=0.2, patience_seconds=0.4, sweeps=0)
    async with running(supervisor(pipeline, short_waits).work(asyncio.Event())):
        await asyncio.sleep(2.0)  # no stage is running
        async with running(pipeline.work()):
            assert await counts_at_end(pipeline, run) == {"scored": 400, "failed": 0}
    assert max(pipeline.times_sent.values()) > 2  # two models


async def test_a_supervisor_that_stops_releases_its_leases(pipeline: Pipeline) -> None:
    run = await create(pipeline)
    stop, settings = asyncio.Event(), replace(IMPATIENT, lease_seconds=600.0)
    first = asyncio.create_task(supervisor(pipeline, settings).work(stop))
    await wait_until_sending(pipeline)
    assert not await pipeline.store.runs.acquire_lease(run, "another", 1.0)
    stop.set()
    async with asyncio.timeout(2.0):
        await first
    async with running(supervisor(pipeline, settings).work(asyncio.Event()), pipeline.work()):
        assert await counts_at_end(pipeline, run) == {"scored": 1200, "failed": 0}


async def test_only_one_of_several_supervisors_schedules_a_run(pipeline: Pipeline) -> None:
    run = await create(pipeline)
    supervisors = [supervisor(pipeline).work(asyncio.Event()) for _ in range(3)]
    async with running(*supervisors, pipeline.work()):
        assert await counts_at_end(pipeline, run) == {"scored": 1200, "failed": 0}
    assert set(pipeline.times_sent.values()) == {6}


async def test_a_run_continues_after_nats_has_lost_all_data(pipeline: Pipeline) -> None:
    run = await create(pipeline)
    async with running(supervisor(pipeline).work(asyncio.Event())):
        await wait_until_sending(pipeline)
        for stream in streams.STREAMS:
            await pipeline.bus.jetstream("delete").delete_stream(str(stream.name))
        async with running(pipeline.work()):
            assert await counts_at_end(pipeline, run) == {"scored": 1200, "failed": 0}


async def test_a_run_continues_after_an_outage_of_nats(pipeline: Pipeline, tmp_path: Path) -> None:
    server = NatsServer.start(tmp_path)
    bus = await NatsBus.connect(server.url, name="test")
    await bus.ensure()
    restarted = Pipeline(pipeline.store, bus)
    run = await create(restarted)
    async with running(supervisor(restarted).work(asyncio.Event())):
        await wait_until_sending(restarted)
        server.kill()
        await asyncio.sleep(1.5)
        server = NatsServer.start(tmp_path, port=server.port)
        async with running(restarted.work()):
            assert await counts_at_end(restarted, run, 30) == {"scored": 1200, "failed": 0}
    await bus.close()
    server.stop()
