from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence

import pytest

from libra.local.servers import MongoServer
from libra.store import indexes
from libra.store.client import Store
from libra.store.commit.verdict_commit import CommitStats
from libra.store.sums.cells import Cell
from libra.v1.batch_pb2 import BatchHeader, VerdictBatch
from libra.v1.task_pb2 import Category
from libra.v1.verdict_pb2 import JudgeVersion, Outcome, Verdict

RUN = "01JZ0000000000000000000000"
TASK = "odd@0123456789ab"
JUDGE = JudgeVersion(name="exact", version="2", rubric_hash="abcdefabcdef")
OUTCOMES = [
    Outcome.OUTCOME_SCORED,
    Outcome.OUTCOME_FILTERED,
    Outcome.OUTCOME_UNJUDGED,
    Outcome.OUTCOME_FAILED,
]


def verdict(sample: int, epoch: int = 0, outcome: Outcome.ValueType | None = None) -> Verdict:
    """Every fourth outcome in turn; a score that depends on the sample."""
    outcome = OUTCOMES[sample % 4] if outcome is None else outcome
    counts = outcome in {Outcome.OUTCOME_SCORED, Outcome.OUTCOME_FILTERED}
    return Verdict(
        sample=sample,
        epoch=epoch,
        outcome=outcome,
        score=(sample % 11) / 10 if counts else 0,
        judge=None if outcome == Outcome.OUTCOME_FAILED else JUDGE,
        rationale="the answer is right",
        completion_id="" if outcome == Outcome.OUTCOME_FAILED else f"{sample:064d}",
        fields={"group.a": "x"},
    )


def batch(
    samples: Sequence[int], *, model: str = "one", task: str = TASK, attack: str = "none", run: str = RUN
) -> VerdictBatch:
    header = BatchHeader(run=run, model=model, task=task, attack=attack, category=Category.CATEGORY_CAPABILITY)
    return VerdictBatch(header=header, verdicts=[verdict(sample) for sample in samples])


async def check_sums(store: Store) -> None:
    """The third law: every cell equals the sums over its verdicts."""
    for cell in await store.cells.list_for_runs([RUN]):
        stored, counted = await store.cells.recount(cell.run, cell.judging, cell.model, cell.task, cell.attack)
        assert stored.total == counted.total == cell.total
        assert stored.n == counted.n == cell.n
        assert stored.sum == pytest.approx(counted.sum) == cell.sum
        assert stored.sum_squares == pytest.approx(counted.sum_squares)


async def test_a_verdict_is_returned_with_its_id(store: Store) -> None:
    assert await store.verdicts.write([batch([5], model="two.1")]) == 1
    [stored] = await store.verdicts.list(RUN, limit=9)
    assert stored.id == f"{RUN}/0/two.1/{TASK}/none/00000005/0000"
    assert stored.HasField("create_time")
    expected = verdict(5)
    expected.MergeFrom(Verdict(id=stored.id, run=RUN, model="two.1", task=TASK, attack="none"))
    expected.category = Category.CATEGORY_CAPABILITY
    expected.create_time.CopyFrom(stored.create_time)
    assert stored == expected


async def test_five_hundred_verdicts_in_one_write_have_correct_sums(store: Store) -> None:
    batches = [batch(range(start, min(start + 64, 500))) for start in range(0, 500, 64)]
    assert await store.verdicts.write(batches) == 500
    [cell] = await store.cells.list_for_runs([RUN])
    counted = [n for n in range(500) if n % 4 < 2]
    assert cell == Cell(
        run=RUN,
        judging=0,
        model="one",
        task=TASK,
        attack="none",
        category=Category.CATEGORY_CAPABILITY,
        judges=(("exact", "2", "abcdefabcdef"),),
        n=250,
        sum=cell.sum,
        sum_squares=cell.sum_squares,
        scored=125,
        filtered=125,
        unjudged=125,
        failed=125,
        classified=500,
        filtered_n=125,
        filtered_sum=cell.filtered_sum,
    )
    assert math.isclose(cell.filtered_sum, sum((n % 11) / 10 for n in range(1, 500, 4)))
    assert math.isclose(cell.sum, sum((n % 11) / 10 for n in counted))
    assert math.isclose(cell.sum_squares, sum(((n % 11) / 10) ** 2 for n in counted))
    assert cell.judge == JUDGE
    await check_sums(store)


async def test_a_repeat_changes_nothing_and_the_first_verdict_stays(store: Store) -> None:
    assert await store.verdicts.write([batch(range(64))]) == 64
    before = await store.cells.list_for_runs([RUN]), await store.verdicts.list(RUN, limit=99)
    again = batch(range(64))
    for one in again.verdicts:
        one.outcome, one.score = Outcome.OUTCOME_SCORED, 1.0
    assert await store.verdicts.write([again]) == 0
    assert (await store.cells.list_for_runs([RUN]), await store.verdicts.list(RUN, limit=99)) == before


async def test_a_batch_that_overlaps_adds_only_the_new_verdicts(store: Store) -> None:
    await store.verdicts.write([batch(range(40))])
    assert await store.verdicts.write([batch(range(20, 64))]) == 24
    assert await store.verdicts.write([batch([70, 70, 71]), batch([71, 72])]) == 3
    assert len(await store.verdicts.list_completed_trials(RUN, 0, "one", TASK, "none")) == 67
    await check_sums(store)


@pytest.mark.parametrize("bucket", [0, 1])
async def test_two_writers_of_the_same_trials_store_one_verdict_each_and_correct_sums(
    store: Store, mongo_server: MongoServer, database: str, bucket: int
) -> None:
    """With different buckets, and with a shared one."""
    other = Store.connect(mongo_server.url, database, bucket=bucket)
    commits: list[CommitStats] = []
    store.verdicts.add_observer(commits.append)
    other.verdicts.add_observer(commits.append)
    batches = [batch(range(start, start + 64), model=f"model.{start % 3}") for start in range(0, 1920, 64)]
    new = await asyncio.gather(
        *(store.verdicts.write([one]) for one in batches), *(other.verdicts.write([one]) for one in reversed(batches))
    )
    assert sum(new) == 1920
    assert sum(sum(commit.written.values()) for commit in commits) == 1920
    assert sum(commit.duplicates for commit in commits) == 1920
    assert sum([1 async for _ in store.verdicts.scan(RUN)]) == 1920
    assert sum(cell.total for cell in await store.cells.list_for_runs([RUN])) == 1920
    await check_sums(store)
    await other.close()


async def test_a_bad_batch_is_rejected_with_a_reason(store: Store) -> None:
    bad = batch([1])
    bad.verdicts[0].outcome = Outcome.OUTCOME_UNSPECIFIED
    with pytest.raises(ValueError, match="has no outcome"):
        await store.verdicts.write([bad])
    for bad in (batch([0], model=""), batch([0], task="odd/even@aa"), batch([0], attack="a/b"), batch([0], run="")):
        with pytest.raises(ValueError, match="must not be empty or contain a '/'"):
            await store.verdicts.write([bad])
    for score in (-0.1, 1.1, math.nan):
        bad = batch([0])
        bad.verdicts[0].score = score
        with pytest.raises(ValueError, match="has the score"):
            await store.verdicts.write([bad])
    assert await store.verdicts.list(RUN, limit=9) == []
    assert await store.verdicts.write([batch([])]) == 0


async def test_observers_get_the_new_verdicts_by_model_and_outcome(store: Store) -> None:
    commits: list[CommitStats] = []
    store.verdicts.add_observer(commits.append)
    await store.verdicts.write([batch(range(8)), batch(range(4), model="two")])
    assert {key: sum(commit.written.get(key, 0) for commit in commits) for key in commits[0].written} == {
        ("one", outcome): 2 for outcome in OUTCOMES
    } | ({("two", outcome): 1 for outcome in OUTCOMES} if len(commits) == 1 else {})
    assert all(commit.seconds > 0 for commit in commits)


async def test_a_judge_that_was_changed_during_a_run_is_listed_in_the_cell(store: Store) -> None:
    await store.verdicts.write([batch([0])])
    other = batch([1])
    other.verdicts[0].judge.version = "3"
    await store.verdicts.write([other])
    [cell] = await store.cells.list_for_runs([RUN])
    assert [version for _, version, _ in cell.judges] == ["2", "3"]
    assert cell.judge is None


async def write_grid(store: Store) -> None:
    await store.verdicts.write(
        [
            batch(range(4), model=model, task=task, attack=attack)
            for model in ("one", "one.5", "one-mini")
            for task in ("odd@aa", "odd@bb", "odd.2@aa")
            for attack in ("none", "few_shots")
        ]
    )


async def test_verdicts_are_listed_in_the_order_of_trials_page_by_page(store: Store) -> None:
    await write_grid(store)
    listed: list[str] = []
    while page := await store.verdicts.list(RUN, after=listed[-1] if listed else "", limit=7):
        listed += [one.id for one in page]
    assert len(listed) == 72
    assert listed == sorted(listed)
    assert listed == [one.id async for one in store.verdicts.scan(RUN)]


@pytest.mark.parametrize(
    ("selection", "count"),
    [
        ({"model": "one"}, 24),
        ({"model": "one.5"}, 24),
        ({"task": "odd"}, 48),
        ({"task": "odd@aa"}, 24),
        ({"task": "odd.2"}, 24),
        ({"attack": "few_shots"}, 36),
        ({"model": "one", "task": "odd"}, 16),
        ({"model": "one", "task": "odd", "attack": "none"}, 8),
        ({"model": "one", "task": "odd@bb", "attack": "none"}, 4),
        ({"model": "one", "attack": "none"}, 12),
        ({"outcome": Outcome.OUTCOME_FAILED}, 18),
        ({"model": "two"}, 0),
        ({"judging": 1}, 0),
        ({"model": ".*"}, 0),
    ],
)
async def test_a_selection_of_verdicts_is_listed_page_by_page(
    store: Store, selection: dict[str, str], count: int
) -> None:
    await write_grid(store)
    listed: list[Verdict] = []
    while page := await store.verdicts.list(RUN, after=listed[-1].id if listed else "", limit=5, **selection):  # type: ignore[arg-type]  # mixed
        listed += page
    assert len(listed) == count
    for one in listed:
        for name, value in selection.items():
            assert value in {getattr(one, name), one.task.partition("@")[0]}


async def test_a_brief_verdict_has_only_id_outcome_and_completion_id(store: Store) -> None:
    await store.verdicts.write([batch([5], model="two.1")])
    [whole] = await store.verdicts.list(RUN, limit=9)
    [brief] = await store.verdicts.list(RUN, limit=9, brief=True)
    for name in ("score", "judge", "rationale", "create_time", "fields", "category"):
        whole.ClearField(name)
    assert brief == whole
    assert brief.completion_id


async def test_verdicts_of_different_runs_are_separate(store: Store) -> None:
    other = RUN[:-1] + "1"
    await store.verdicts.write([batch(range(4)), batch(range(8), run=other)])
    assert len(await store.verdicts.list(RUN, limit=99)) == 4
    progress = await store.cells.count_outcomes(other)
    assert {model: counts.scored + counts.failed for model, counts in progress.items()} == {"one": 4}
    assert [cell.total for cell in await store.cells.list_for_runs([other, RUN])] == [4, 8]
    assert await store.cells.count_outcomes("unknown") == {}


async def test_the_completed_trials_of_a_cell_are_its_samples_and_epochs(store: Store) -> None:
    one = batch([3, 5])
    one.verdicts.append(verdict(3, epoch=2))
    await store.verdicts.write([one, batch([9], attack="few_shots")])
    assert await store.verdicts.list_completed_trials(RUN, 0, "one", TASK, "none") == {(3, 0), (5, 0), (3, 2)}


async def test_a_recount_shows_a_cell_that_differs_from_its_verdicts(store: Store) -> None:
    await store.verdicts.write([batch(range(8))])
    await store._database[indexes.CELLS].update_one({}, {"$inc": {"sum": 1.0}})
    stored, counted = await store.cells.recount(RUN, 0, "one", TASK, "none")
    assert stored.n == counted.n
    assert stored.sum == pytest.approx(counted.sum + 1)
    no_sums, no_verdicts = await store.cells.recount(RUN, 0, "two", TASK, "none")
    assert no_sums.total == no_verdicts.total == 0
