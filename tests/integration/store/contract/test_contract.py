"""The contract of every store: of the real one on a real mongod, and of the one in memory that the simulation uses."""

from __future__ import annotations

import asyncio

import pytest

from libra.core.errors import Conflict, NotFound
from libra.store.commit.verdict_commit import CommitStats
from libra.store.models.adjustments import entry_id
from libra.store.runs import RunRecord, RunSection
from libra.v1.batch_pb2 import BatchHeader, VerdictBatch
from libra.v1.completion_pb2 import Adjustment, Completion, FinishReason, Usage
from libra.v1.message_pb2 import Message
from libra.v1.model_pb2 import Model, ModelLimits, Provider
from libra.v1.run_pb2 import OutcomeCounts, ResponseCounts, Run, RunSpec, RunState
from libra.v1.task_pb2 import Category, JudgeSpec, Sample, Task
from libra.v1.verdict_pb2 import JudgeVersion, Outcome, Verdict

from .any_store import AnyStore, Connect

RUN, OTHER = "01JZ0000000000000000000000", "01JZ0000000000000000000001"
TASK = "odd@0123456789ab"
JUDGE = JudgeVersion(name="exact", version="2", rubric_hash="abcdefabcdef")
OUTCOMES = [Outcome.OUTCOME_SCORED, Outcome.OUTCOME_FILTERED, Outcome.OUTCOME_UNJUDGED, Outcome.OUTCOME_FAILED]


@pytest.fixture
def store(connect: Connect) -> AnyStore:
    return connect(0)


def verdict(sample: int, score: float | None = None) -> Verdict:
    """Every fourth outcome in turn; a score that depends on the sample."""
    outcome = OUTCOMES[sample % 4]
    failed = outcome == Outcome.OUTCOME_FAILED
    counts = outcome in {Outcome.OUTCOME_SCORED, Outcome.OUTCOME_FILTERED}
    return Verdict(
        sample=sample,
        outcome=outcome,
        score=((sample % 11) / 10 if score is None else score) if counts else 0,
        judge=None if failed else JUDGE,
        completion_id="" if failed else f"{sample:064d}",
        fields={"group.a": "x"},
    )


def batch(*verdicts: Verdict, model: str = "m", task: str = TASK, attack: str = "none", run: str = RUN) -> VerdictBatch:
    header = BatchHeader(run=run, model=model, task=task, attack=attack, category=Category.CATEGORY_CAPABILITY)
    return VerdictBatch(header=header, verdicts=verdicts)


def record(run: str = RUN, request_id: str = "") -> RunRecord:
    spec = RunSpec(name="one", models=["m", "n.1"], tasks=[TASK], epochs=1, seed=7)
    section = RunSection(
        TASK, "none", Category.CATEGORY_CAPABILITY, 5, JudgeSpec(name="exact", options={"field": "answer"})
    )
    return RunRecord(
        Run(id=run, spec=spec, state=RunState.RUN_STATE_RUNNING), [section], cursors={}, request_id=request_id
    )


# Tasks and models


async def test_a_task_is_stored_once_with_its_samples(store: AnyStore) -> None:
    task = Task(name="odd", version="0123456789ab", category=Category.CATEGORY_CAPABILITY, sample_count=3)
    samples = [
        Sample(ordinal=n, id=f"s{n}", messages=[Message(role="user", content="?")], fields={"a.b": "$x"})
        for n in range(3)
    ]
    assert await store.tasks.get(TASK) is None
    assert await store.tasks.add(task, samples)
    assert not await store.tasks.add(task, samples)
    stored = await store.tasks.get(TASK)
    assert stored is not None
    assert stored.sample_count == 3
    assert stored.HasField("create_time")
    assert await store.tasks.get("odd") == stored
    assert await store.tasks.get_samples(TASK, [2, 0, 2]) == [samples[2], samples[0], samples[2]]
    with pytest.raises(NotFound, match="no sample 3"):
        await store.tasks.get_samples(TASK, [0, 3])
    with pytest.raises(ValueError, match="says 3 samples"):
        await store.tasks.add(task, samples[:2])


async def test_a_model_is_registered_once_under_its_name(store: AnyStore) -> None:
    model = Model(name="m", provider=Provider.PROVIDER_OPENAI, limits=ModelLimits(max_in_flight=3))
    first = await store.models.add(model)
    assert first.HasField("create_time")
    assert await store.models.add(model) == first
    with pytest.raises(Conflict):
        await store.models.add(Model(name="m", provider=Provider.PROVIDER_SCRIPTED))
    await store.models.add(Model(name="a"))
    assert [each.name for each in await store.models.list()] == ["a", "m"]
    assert await store.models.delete("a")
    assert not await store.models.delete("a")
    assert await store.models.get("a") is None


async def test_adjustments_belong_to_one_registration_of_a_model(connect: Connect) -> None:
    one, two = connect(0), connect(1)
    model = await one.models.add(Model(name="m"))
    other = await one.models.add(Model(name="n"))
    assert await two.adjustments.list() == {}
    learned = Adjustment(parameter="json_schema", replacement="json_object", words="$no.")
    learned.learn_time.FromMilliseconds(1_700_000_000_123)
    later = Adjustment(parameter="json_schema", words="not that either")
    for adjustment in (learned, Adjustment(parameter="seed"), later):
        await one.adjustments.upsert(model, adjustment)
    await one.adjustments.upsert(other, learned)
    assert await two.adjustments.list() == {
        entry_id(model): [later, Adjustment(parameter="seed")],
        entry_id(other): [learned],
    }
    await two.adjustments.delete("m")
    assert list(await one.adjustments.list()) == [entry_id(other)]
    again = Model(name="m")
    again.create_time.FromMilliseconds(model.create_time.ToMilliseconds() + 1)
    assert entry_id(again) != entry_id(model)


# Runs


async def test_a_run_is_returned_as_it_was_inserted(store: AnyStore) -> None:
    stored = await store.runs.insert(record(request_id="again"))
    assert stored.run.HasField("create_time")
    assert stored.run.revision == 1
    assert stored.cursors == {"m": 0, "n.1": 0}
    assert await store.runs.get(RUN) == stored
    assert list(stored.sections) == list(record().sections)
    assert await store.runs.insert(record(OTHER, request_id="again")) == stored
    assert await store.runs.find_by_request_id("again") == stored
    assert await store.runs.find_by_request_id("never") is None
    with pytest.raises(Conflict):
        await store.runs.insert(record())
    assert await store.runs.get(OTHER) is None


async def test_a_run_ends_once(store: AnyStore) -> None:
    for run in (OTHER, RUN):
        await store.runs.insert(record(run))
    assert await store.runs.get_state(RUN) == RunState.RUN_STATE_RUNNING
    assert await store.runs.get_state("unknown") is None
    assert [each.run.id for each in await store.runs.list_running()] == [RUN, OTHER]
    assert await store.runs.mark_ended(RUN, RunState.RUN_STATE_FINISHED)
    assert not await store.runs.mark_ended(RUN, RunState.RUN_STATE_CANCELLED)
    assert not await store.runs.mark_ended("unknown", RunState.RUN_STATE_CANCELLED)
    assert await store.runs.get_state(RUN) == RunState.RUN_STATE_FINISHED
    ended = await store.runs.get(RUN)
    assert ended is not None
    assert ended.run.HasField("end_time")
    assert await store.runs.get_finished_revisions() == {RUN: 2}
    assert [each.run.id for each in await store.runs.list_running()] == [OTHER]
    assert [each.run.id for each in await store.runs.list(limit=9)] == [OTHER, RUN]
    assert [each.run.id for each in await store.runs.list(before=OTHER, limit=9)] == [RUN]


async def test_a_run_has_one_holder_until_its_lease_expires(store: AnyStore) -> None:
    await store.runs.insert(record())
    assert await store.runs.acquire_lease(RUN, "one", 60)
    assert await store.runs.acquire_lease(RUN, "one", 0.05)
    assert not await store.runs.acquire_lease(RUN, "two", 60)
    async with asyncio.timeout(10):
        while not await store.runs.acquire_lease(RUN, "two", 60):
            await asyncio.sleep(0.02)
    await store.runs.release_lease(RUN, "one")
    assert not await store.runs.acquire_lease(RUN, "one", 60)
    await store.runs.release_lease(RUN, "two")
    assert await store.runs.acquire_lease(RUN, "one", 60)
    await store.runs.mark_ended(RUN, RunState.RUN_STATE_FINISHED)
    assert not await store.runs.acquire_lease(RUN, "one", 60)
    assert not await store.runs.acquire_lease("unknown", "one", 60)


async def test_a_cursor_never_goes_back(store: AnyStore) -> None:
    await store.runs.insert(record())
    for cursor in (3, 5, 4):
        await store.runs.advance_cursor(RUN, "n.1", cursor)
    stored = await store.runs.get(RUN)
    assert stored is not None
    assert stored.cursors == {"m": 0, "n.1": 5}
    with pytest.raises(ValueError, match="has no model"):
        await store.runs.advance_cursor(RUN, "x", 1)


# Completions


async def test_the_first_completion_of_a_request_is_the_one_that_is_stored(connect: Connect) -> None:
    first, second = connect(0), connect(1)
    messages = [Message(role="user", content="?")]
    one = Completion(
        id="a" * 64, text="one", finish_reason=FinishReason.FINISH_REASON_STOP, usage=Usage(prompt_tokens=2), model="m"
    )
    other = Completion(id="a" * 64, text="other", finish_reason=FinishReason.FINISH_REASON_STOP, model="m")
    answers = await asyncio.gather(
        first.completions.insert_or_get(one, messages), second.completions.insert_or_get(other, messages)
    )
    assert answers[0].text == answers[1].text
    assert (await first.completions.insert_or_get(other, messages)).text == answers[0].text
    found = await second.completions.get_many(["a" * 64, "b" * 64])
    assert {name: each.text for name, each in found.items()} == {"a" * 64: answers[0].text}
    assert found["a" * 64].HasField("create_time")
    assert await first.completions.find_existing(["a" * 64, "b" * 64]) == {"a" * 64}
    assert await first.completions.get_messages(["a" * 64, "b" * 64]) == {"a" * 64: messages}


async def test_an_error_is_returned_and_not_stored(store: AnyStore) -> None:
    error = Completion(id="e", finish_reason=FinishReason.FINISH_REASON_ERROR, error="no")
    assert await store.completions.insert_or_get(error) == error
    assert await store.completions.get_many(["e"]) == {}


# Verdicts and cells


async def test_a_trial_keeps_its_first_verdict_with_concurrent_writers(connect: Connect) -> None:
    writers = [connect(bucket) for bucket in (0, 1, 1)]
    rounds = [
        writer.verdicts.write([batch(*(verdict(sample, index / 10) for sample in range(start, start + 12)))])
        for index, writer in enumerate(writers)
        for start in (0, 4, 8)
    ]
    assert sum(await asyncio.gather(*rounds)) == 20
    listed = await writers[0].verdicts.list(RUN, limit=99)
    assert [each.sample for each in listed] == list(range(20))
    assert await writers[2].verdicts.write([batch(*(verdict(sample, 1.0) for sample in range(20)))]) == 0
    assert await writers[0].verdicts.list(RUN, limit=99) == listed
    sums, counted = await writers[1].cells.recount(RUN, 0, "m", TASK, "none")
    assert (sums.n, sums.scored, sums.filtered, sums.unjudged, sums.failed) == (10, 5, 5, 5, 5)
    assert (counted.n, counted.scored, counted.failed) == (10, 5, 5)
    assert sums.sum == pytest.approx(counted.sum)
    assert sums.sum_squares == pytest.approx(counted.sum_squares)


async def test_of_two_verdicts_on_one_trial_in_a_batch_the_first_is_stored(store: AnyStore) -> None:
    commits: list[CommitStats] = []
    store.verdicts.add_observer(commits.append)
    assert await store.verdicts.write([batch(verdict(0, 0.25), verdict(0, 0.75))]) == 1
    [only] = await store.verdicts.list(RUN, limit=9)
    assert only.score == 0.25
    assert [(dict(commit.written), commit.duplicates) for commit in commits] == [
        ({("m", Outcome.OUTCOME_SCORED): 1}, 1)
    ]


async def test_a_batch_that_can_never_be_written_does_not_fail_another(store: AnyStore) -> None:
    good, bad = batch(verdict(0), verdict(4)), batch(Verdict(sample=1))
    results = await asyncio.gather(store.verdicts.write([good]), store.verdicts.write([bad]), return_exceptions=True)
    assert results[0] == 2
    assert isinstance(results[1], ValueError)
    assert len(await store.verdicts.list(RUN, limit=9)) == 2
    assert await store.verdicts.write([]) == 0


async def test_verdicts_are_listed_by_any_part_of_their_ids(store: AnyStore) -> None:
    await store.verdicts.write(
        [
            batch(verdict(0), verdict(3)),
            batch(verdict(1), model="n.1"),
            batch(verdict(2), attack="persona"),
            batch(verdict(0), task="odd@ffffffffffff"),
            batch(verdict(0), run=OTHER),
        ]
    )

    async def names(**wanted: str | int) -> list[tuple[str, str, str, int]]:
        listed = await store.verdicts.list(RUN, limit=9, **wanted)  # type: ignore[arg-type]  # each by its name
        return [(each.model, each.task, each.attack, each.sample) for each in listed]

    everything = await names()
    assert len(everything) == 5
    assert everything == sorted(everything)
    assert len(await names(model="m")) == 4
    assert len(await names(task="odd")) == 5
    assert len(await names(task=TASK)) == 4
    assert await names(attack="persona") == [("m", TASK, "persona", 2)]
    assert await names(outcome=Outcome.OUTCOME_FAILED) == [("m", TASK, "none", 3)]
    assert await store.verdicts.list_completed_trials(RUN, 0, "m", TASK, "none") == {(0, 0), (3, 0)}
    first = await store.verdicts.list(RUN, limit=2)
    rest = await store.verdicts.list(RUN, limit=9, after=first[-1].id)
    scanned = [each async for each in store.verdicts.scan(RUN)]
    assert [*first, *rest] == scanned
    assert first[0].fields == {"group.a": "x"}
    brief = await store.verdicts.list(RUN, limit=1, brief=True)
    assert (brief[0].id, brief[0].outcome, brief[0].completion_id) == (first[0].id, first[0].outcome, "0" * 64)
    assert not brief[0].fields


async def test_verdicts_are_found_by_sample_and_epoch(store: AnyStore) -> None:
    await store.verdicts.write([batch(*map(verdict, range(6))), batch(verdict(1, 0.5), model="n.1")])
    found = await store.verdicts.get_by_trial(RUN, "m", TASK, "none", [(5, 0), (1, 0), (1, 1), (9, 0)])
    assert sorted(found) == [(1, 0), (5, 0)]
    assert found[5, 0] == (await store.verdicts.list(RUN, model="m", limit=10))[5]
    assert await store.verdicts.get_by_trial(RUN, "m", TASK, "other", [(1, 0)]) == {}


async def test_cells_are_summed_over_the_buckets_of_all_writers(connect: Connect) -> None:
    one, two = connect(0), connect(5)
    await one.verdicts.write([batch(*map(verdict, range(8))), batch(*map(verdict, range(4)), model="n.1")])
    await two.verdicts.write([batch(*map(verdict, range(6, 12))), batch(verdict(0), run=OTHER)])
    cells = await one.cells.list_for_runs([OTHER, RUN])
    assert [(cell.run, cell.model, cell.total, cell.n) for cell in cells] == [
        (RUN, "m", 12, 6),
        (RUN, "n.1", 4, 2),
        (OTHER, "m", 1, 1),
    ]
    assert cells[0].judge == JUDGE
    assert cells[0].category == Category.CATEGORY_CAPABILITY
    assert await two.cells.count_outcomes(RUN) == {
        "m": OutcomeCounts(scored=3, filtered=3, unjudged=3, failed=3),
        "n.1": OutcomeCounts(scored=1, filtered=1, unjudged=1, failed=1),
    }
    assert await two.cells.count_outcomes("unknown") == {}


def responding(sample: int, response: str) -> Verdict:
    return Verdict(
        sample=sample,
        outcome=Outcome.OUTCOME_SCORED,
        judge=JUDGE,
        completion_id=f"{sample:064d}",
        fields={"group.a": response, **({"response": response} if response else {})},
    )


async def test_cells_count_what_came_back_except_answers_and_failures(connect: Connect) -> None:
    one, two = connect(0), connect(5)
    await one.verdicts.write([batch(*map(responding, range(5), ["truncated", "", "refused", "failed", "tool_calls"]))])
    await two.verdicts.write([batch(responding(0, "refused"), responding(5, "truncated"))])
    await two.verdicts.write([batch(*map(responding, range(3), ["blocked_input", "blocked_output", ""]), model="n.1")])
    assert await one.cells.count_responses(RUN) == {
        "m": ResponseCounts(truncated=2, refused_by_model=1, tool_calls=1),
        "n.1": ResponseCounts(blocked_input=1, blocked_output=1),
    }
    assert await one.cells.count_responses("unknown") == {}
    for cell in await two.cells.list_for_runs([RUN]):
        stored, counted = await two.cells.recount(cell.run, cell.judging, cell.model, cell.task, cell.attack)
        assert stored == counted
        assert (stored.classified, stored.truncated) == (cell.total, cell.truncated)
