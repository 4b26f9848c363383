"""The real judge and ranking stages judge a finished run again, on a real nats-server and a real mongod."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from tests.integration.support.background_tasks import running
from ulid import ULID

from libra.bus import streams
from libra.bus.nats_bus import NatsBus
from libra.core.errors import Unavailable
from libra.dispatch.run_supervisor import RunSupervisor
from libra.dispatch.settings import Settings
from libra.judge.settings import Settings as JudgeSettings
from libra.judge.stage import stage as judge_stage
from libra.ranking.queries.auditor import Auditor
from libra.ranking.settings import Settings as RankingSettings
from libra.ranking.stage import stage as ranking_stage
from libra.stage.ended_runs import EndedRuns
from libra.stage.runner import run
from libra.store.client import Store
from libra.store.runs import RunRecord, RunSection
from libra.telemetry.metrics import Metrics
from libra.v1.batch_pb2 import BatchHeader, CompletionBatch, VerdictBatch
from libra.v1.completion_pb2 import Completion, FinishReason
from libra.v1.message_pb2 import Message
from libra.v1.run_pb2 import Run, RunSpec, RunState
from libra.v1.task_pb2 import Category, JudgeSpec, Sample, Task
from libra.v1.verdict_pb2 import JudgeVersion, Outcome, Verdict

SETTINGS = Settings(window_trials=128, wake_seconds=0.2, quiet_seconds=0.6, sweeps=2)
SAMPLES, EPOCHS = 100, 2
TASK = Task(name="letters", version="0123456789ab", category=Category.CATEGORY_CAPABILITY, sample_count=SAMPLES)
REF = f"letters@{TASK.version}"
NEW_JUDGE = JudgeSpec(name="exact", options={"field": "other"})
SOURCE = "01JZ0000000000000000000000"
METRICS = Metrics(CollectorRegistry())


def outcome_of(sample: int) -> Outcome.ValueType:
    if sample % 10 == 3:
        return Outcome.OUTCOME_FAILED
    return Outcome.OUTCOME_FILTERED if sample % 10 == 4 else Outcome.OUTCOME_SCORED


def completion_id(model: str, sample: int, epoch: int) -> str:
    return f"{model}-{sample}-{epoch}"


async def store_answers(store: Store, model: str) -> None:
    """Store a model's answers in the run that is judged again: "yes" and "no" alternately, and no answer for some."""
    header = BatchHeader(run=SOURCE, model=model, task=REF, attack="none", category=TASK.category)
    verdicts = [verdict_on(model, sample, epoch) for sample in range(SAMPLES) for epoch in range(EPOCHS)]
    prompt = [Message(role="user", content="so?")]
    await asyncio.gather(
        *(store.completions.insert_or_get(completion(verdict), prompt) for verdict in verdicts if verdict.completion_id)
    )
    await store.verdicts.write([VerdictBatch(header=header, verdicts=verdicts)])


def verdict_on(model: str, sample: int, epoch: int) -> Verdict:
    outcome = outcome_of(sample)
    verdict = Verdict(sample=sample, epoch=epoch, outcome=outcome, judge=JudgeVersion(name="old", version="1"))
    verdict.fields.update({"votes": "1,1,0", "attack_tokens": "12", "kind": "odd"})
    verdict.log.add(role="attacker", content="Once upon a time")
    if outcome == Outcome.OUTCOME_FAILED:
        verdict.rationale = "the provider said no"
    else:
        verdict.completion_id, verdict.score = completion_id(model, sample, epoch), 1
    return verdict


def completion(verdict: Verdict) -> Completion:
    filtered = verdict.outcome == Outcome.OUTCOME_FILTERED
    reason = FinishReason.FINISH_REASON_CONTENT_FILTER if filtered else FinishReason.FINISH_REASON_STOP
    text = "" if filtered else ("yes", "no")[(verdict.sample + verdict.epoch) % 2]
    return Completion(id=verdict.completion_id, text=text, finish_reason=reason, attempts=3)


@pytest.fixture
async def bus(nats_url: str) -> AsyncIterator[NatsBus]:
    opened = await NatsBus.connect(nats_url, name="test")
    await opened.ensure()
    yield opened
    await opened.close()


@pytest.fixture
async def source(store: Store) -> RunRecord:
    """A finished run of two models."""
    fields = {"answer": "yes", "other": "no", "kind": "odd"}
    samples = [Sample(ordinal=n, id=str(n), fields=fields) for n in range(SAMPLES)]
    await store.tasks.add(TASK, samples)
    for model in ("one", "two.1"):
        await store_answers(store, model)
    spec = RunSpec(models=["one", "two.1"], tasks=[REF], attacks=["none"], epochs=EPOCHS)
    record = RunRecord(
        Run(id=SOURCE, spec=spec, state=RunState.RUN_STATE_FINISHED),
        [RunSection(REF, "none", TASK.category, SAMPLES * EPOCHS, JudgeSpec(name="old"))],
        cursors={"one": SAMPLES * EPOCHS, "two.1": SAMPLES * EPOCHS},
    )
    return await store.runs.insert(record)


async def rejudge(store: Store, source: RunRecord) -> str:
    spec = RunSpec()
    spec.CopyFrom(source.run.spec)
    spec.rejudges = SOURCE
    run = Run(id=str(ULID()), spec=spec, state=RunState.RUN_STATE_RUNNING)
    run.create_time.GetCurrentTime()
    sections = [replace(section, judge=NEW_JUDGE) for section in source.sections]
    await store.runs.insert(RunRecord(run, sections))
    return run.id


async def reject_request(*_: object, **__: object) -> list[Any]:
    raise Unavailable("no judge of this test queries a model")


def stages(store: Store, bus: NatsBus) -> list[Any]:
    stop = asyncio.Event()
    judge, ranking = (
        judge_stage(JudgeSettings(), reject_request, METRICS, EndedRuns(store.runs.get_state, 2.0)),
        ranking_stage(store, lambda _: None, RankingSettings()),
    )
    return [
        run(judge, streams.JUDGE_CONSUMER, bus, stop, METRICS),
        run(ranking, streams.RANKING_CONSUMER, bus, stop, METRICS),
    ]


RESPONSES = {Outcome.OUTCOME_FAILED: "failed", Outcome.OUTCOME_FILTERED: "blocked_output"}
"""Values of a verdict's field for a response that is not an ordinary answer."""


def supervise(store: Store, bus: NatsBus) -> Any:
    return RunSupervisor(store, bus, METRICS, SETTINGS).work(asyncio.Event())


async def verdicts_at_end(store: Store, run_id: str) -> Sequence[Verdict]:
    async with asyncio.timeout(30):
        while await store.runs.get_state(run_id) == RunState.RUN_STATE_RUNNING:
            await asyncio.sleep(0.05)
    return await store.verdicts.list(run_id, limit=1000)


def check(verdicts: Sequence[Verdict]) -> None:
    """Check that every trial has the new judge's verdict on the old answer."""
    assert len(verdicts) == 2 * SAMPLES * EPOCHS
    for verdict in verdicts:
        assert verdict.outcome == outcome_of(verdict.sample)
        assert verdict.judge.name == "exact"
        fields = dict(verdict.fields)
        assert fields.pop("response", "") == RESPONSES.get(verdict.outcome, "")
        assert fields == {"answer": "yes", "other": "no", "kind": "odd", "attack_tokens": "12"}
        if verdict.outcome == Outcome.OUTCOME_FAILED:
            assert (verdict.completion_id, verdict.rationale) == ("", "the provider said no")
        else:
            assert verdict.completion_id == completion_id(verdict.model, verdict.sample, verdict.epoch)
            said_no = outcome_of(verdict.sample) == Outcome.OUTCOME_SCORED and (verdict.sample + verdict.epoch) % 2
            assert verdict.score == bool(said_no)


async def test_every_trial_is_judged_again_and_no_model_is_queried(
    store: Store, bus: NatsBus, source: RunRecord
) -> None:
    before = await store.verdicts.list(SOURCE, limit=1000)
    again = await rejudge(store, source)
    async with running(supervise(store, bus), *stages(store, bus)):
        check(await verdicts_at_end(store, again))
    backlog = await bus.backlog()
    assert backlog[streams.ATTACK_CONSUMER].pending == 0
    assert not any(name.startswith("gateway-") for name in backlog)
    report = await Auditor(store).audit(again)
    assert not report.findings
    assert await store.verdicts.list(SOURCE, limit=1000) == before
    assert not (await Auditor(store).audit(SOURCE)).findings


async def test_lost_trials_are_resent_and_another_replica_continues_the_run(
    store: Store, bus: NatsBus, source: RunRecord
) -> None:
    again = await rejudge(store, source)
    async with running(supervise(store, bus)):
        async with asyncio.timeout(20):
            while not (first := await bus.pull(streams.JUDGE_CONSUMER, 2)):
                pass
        for delivery in first:
            await delivery.ack()  # acknowledged without work: the trials are lost
    assert all(len(CompletionBatch.FromString(delivery.data).trials) == 64 for delivery in first)
    async with running(supervise(store, bus), *stages(store, bus)):
        check(await verdicts_at_end(store, again))


async def test_a_trial_whose_completion_is_missing_fails_with_the_reason(
    store: Store, bus: NatsBus, source: RunRecord
) -> None:
    lost = completion_id("one", 0, 0)
    await store._database["completions"].delete_one({"_id": lost})
    again = await rejudge(store, source)
    async with running(supervise(store, bus), *stages(store, bus)):
        verdicts = {
            (verdict.model, verdict.sample, verdict.epoch): verdict for verdict in await verdicts_at_end(store, again)
        }
    verdict = verdicts["one", 0, 0]
    assert verdict.outcome == Outcome.OUTCOME_FAILED
    assert lost in verdict.rationale
    assert verdicts["one", 0, 1].outcome == Outcome.OUTCOME_SCORED


async def test_no_more_trials_of_a_cancelled_rejudging_are_sent(store: Store, bus: NatsBus, source: RunRecord) -> None:
    again = await rejudge(store, source)
    async with running(supervise(store, bus)):
        async with asyncio.timeout(20):
            while not any((await cursors(store, again)).values()):
                await asyncio.sleep(0.05)
        assert await store.runs.mark_ended(again, RunState.RUN_STATE_CANCELLED)
        await asyncio.sleep(0.5)
        before = await cursors(store, again)
        async with running(*stages(store, bus)):
            await asyncio.sleep(0.5)
        assert await cursors(store, again) == before
        assert all(sent <= SETTINGS.window_trials for sent in before.values())


async def cursors(store: Store, run_id: str) -> dict[str, int]:
    record = await store.runs.get(run_id)
    assert record
    return dict(record.cursors)
