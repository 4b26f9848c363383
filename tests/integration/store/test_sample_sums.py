"""Sums by sample are computed from the verdicts once, cached, and never used for a cell that has changed."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Sequence

import pytest

from libra.core.gold_labels import GOLD_LABEL_FIELD
from libra.store import indexes
from libra.store.client import Store
from libra.store.sums.cells import Cell
from libra.store.sums.sample_sums import SampleSums
from libra.v1.batch_pb2 import BatchHeader, VerdictBatch
from libra.v1.task_pb2 import Category
from libra.v1.verdict_pb2 import JudgeVersion, Outcome, Verdict

RUN = "01JZ0000000000000000000000"
TASK = "odd@0123456789ab"
JUDGE = JudgeVersion(name="exact", version="2")
SCORED, FILTERED = Outcome.OUTCOME_SCORED, Outcome.OUTCOME_FILTERED
UNJUDGED, FAILED = Outcome.OUTCOME_UNJUDGED, Outcome.OUTCOME_FAILED

Trial = tuple[int, int, Outcome.ValueType, float]
"""The sample, the epoch, the outcome and the score."""


async def write(store: Store, trials: Sequence[Trial], *, model: str = "one.5", attack: str = "none") -> None:
    header = BatchHeader(run=RUN, model=model, task=TASK, attack=attack, category=Category.CATEGORY_DIRECT_RISKY)
    verdicts = [
        Verdict(sample=sample, epoch=epoch, outcome=outcome, score=score, judge=JUDGE)
        for sample, epoch, outcome, score in trials
    ]
    await store.verdicts.write([VerdictBatch(header=header, verdicts=verdicts)])


async def cells(store: Store) -> list[Cell]:
    return await store.cells.list_for_runs([RUN])


async def test_a_cell_is_divided_by_sample(store: Store) -> None:
    await write(
        store,
        [
            *((12, 0, SCORED, 1), (3, 1, SCORED, 0.5), (3, 0, FILTERED, 1), (7, 0, UNJUDGED, 0), (7, 1, SCORED, 0)),
            *((9, 0, FAILED, 0), (100_000_000, 0, SCORED, 0.25)),
        ],
    )
    [cell] = await cells(store)
    found = await store.sample_sums.get_or_compute([cell])
    assert found == {
        (RUN, "one.5", TASK, "none"): SampleSums(
            array("i", [3, 7, 12, 100_000_000]),
            array("i", [2, 1, 1, 1]),
            array("d", [1.5, 0, 1, 0.25]),
            array("i", [1, 0, 0, 0]),
            array("d", [1, 0, 0, 0]),
        )
    }
    assert await store.sample_sums.get_or_compute([cell]) == found


async def test_computed_sums_are_cached_and_the_verdicts_are_not_read_again(store: Store) -> None:
    await write(store, [(sample, 0, SCORED, sample % 2) for sample in range(300)])
    await write(store, [(sample, 0, SCORED, 1) for sample in range(2)], attack="few_shots")
    both = await cells(store)
    before = await store.sample_sums.get_cached(both)
    assert before.sums == {}
    assert before.missing == both
    computed = await store.sample_sums.get_or_compute(both)
    await store._database[indexes.VERDICTS].delete_many({})
    assert await store.sample_sums.get_or_compute(both) == computed
    assert (await store.sample_sums.get_cached(both)).missing == []
    one = computed[RUN, "one.5", TASK, "none"]
    assert list(one.ordinals) == list(range(300))
    assert sum(one.sums) == 150


async def test_a_cell_that_has_grown_is_computed_again(store: Store) -> None:
    await write(store, [(0, 0, SCORED, 1)])
    [first] = await cells(store)
    await store.sample_sums.get_or_compute([first])
    await write(store, [(0, 1, SCORED, 0)])
    [second] = await cells(store)
    found = await store.sample_sums.get_or_compute([second])
    assert found[second.key] == SampleSums(array("i", [0]), array("i", [2]), array("d", [1.0]))


async def test_verdicts_written_after_the_cell_was_read_do_not_count_for_it(store: Store) -> None:
    await write(store, [(0, 0, SCORED, 1)])
    [read_before] = await cells(store)
    await write(store, [(1, 0, SCORED, 0)])
    assert await store.sample_sums.get_or_compute([read_before]) == {}
    assert (await store.sample_sums.get_cached([read_before])).missing == [read_before]
    [now] = await cells(store)
    assert list((await store.sample_sums.get_or_compute([now]))[now.key].ordinals) == [0, 1]


async def test_a_cell_without_its_verdicts_is_left_out_and_computed_once(store: Store) -> None:
    await write(store, [(0, 0, SCORED, 1), (1, 0, SCORED, 1)])
    await write(store, [(0, 0, FAILED, 0)], attack="few_shots")
    both = await cells(store)
    await store._database[indexes.VERDICTS].delete_one({})
    assert await store.sample_sums.get_or_compute(both) == {}
    cached = await store.sample_sums.get_cached(both)
    assert (cached.sums, cached.missing) == ({}, [])


async def test_the_cache_may_be_deleted(store: Store) -> None:
    await write(store, [(sample, epoch, SCORED, 0.5) for sample in range(3) for epoch in range(3)])
    [cell] = await cells(store)
    computed = await store.sample_sums.get_or_compute([cell])
    await store._database[indexes.SAMPLE_SUMS].delete_many({})
    assert await store.sample_sums.get_or_compute([cell]) == computed
    assert list(computed[cell.key].counts) == [3, 3, 3]


async def test_two_concurrent_computations_give_the_same_sums(store: Store) -> None:
    for number in range(20):
        await write(store, [(sample, 0, SCORED, 1) for sample in range(3)], model=f"model-{number}")
    every = await cells(store)
    one, other = await asyncio.gather(store.sample_sums.get_or_compute(every), store.sample_sums.get_or_compute(every))
    assert one == other
    assert len(one) == 20
    assert await store.sample_sums.get_or_compute([]) == {}


@pytest.mark.parametrize("size", [1, 70])
async def test_several_groups_of_cells_are_all_cached(store: Store, size: int) -> None:
    for number in range(size):
        await write(store, [(0, 0, SCORED, 1)], model=f"model-{number:03d}")
    every = await cells(store)
    assert len(await store.sample_sums.get_or_compute(every)) == size
    assert len((await store.sample_sums.get_cached(every)).sums) == size


async def test_a_balanced_cell_is_divided_by_sample_with_its_labels(store: Store) -> None:
    header = BatchHeader(run=RUN, model="one.5", task=TASK, attack="none", balanced_by="truth")
    verdicts = [
        Verdict(
            sample=sample,
            epoch=epoch,
            outcome=SCORED,
            score=epoch,
            judge=JUDGE,
            fields={GOLD_LABEL_FIELD: "no" if sample % 3 else "yes"},
        )
        for sample in range(5)
        for epoch in range(2)
    ]
    await store.verdicts.write([VerdictBatch(header=header, verdicts=verdicts)])
    [cell] = await cells(store)
    [found] = (await store.sample_sums.get_or_compute([cell])).values()
    assert found.labels == ("yes", "no", "no", "yes", "no")
    assert list(found.sums) == [1, 1, 1, 1, 1]
    [cached] = (await store.sample_sums.get_cached([cell])).sums.values()
    assert cached == found
    by_label = found.by_label()
    assert {label: list(part.ordinals) for label, part in by_label.items()} == {"no": [1, 2, 4], "yes": [0, 3]}


async def test_sums_that_an_earlier_version_cached_without_filtered_answers_are_computed_again(store: Store) -> None:
    await write(store, [(0, 0, SCORED, 1), (1, 0, FILTERED, 1)])
    [cell] = await cells(store)
    computed = await store.sample_sums.get_or_compute([cell])
    forgotten = {"$unset": {"filtered_counts": "", "filtered_sums": ""}}
    await store._database[indexes.SAMPLE_SUMS].update_one({}, forgotten)
    assert (await store.sample_sums.get_cached([cell])).missing == [cell]
    assert await store.sample_sums.get_or_compute([cell]) == computed


async def test_the_sums_of_a_class_of_responses_tell_filtered_answers_apart(store: Store) -> None:
    await write(store, [(0, 0, SCORED, 0), (0, 1, FILTERED, 1), (1, 0, UNJUDGED, 0), (2, 0, SCORED, 1)])
    [cell] = await cells(store)
    parts = await store.sample_sums.sum_by_response(cell)
    assert list(parts) == ["answered"]
    assert parts["answered"].outcomes == {"scored": 2, "filtered": 1, "unjudged": 1}
    assert parts["answered"].sums == SampleSums(
        array("i", [0, 2]), array("i", [2, 1]), array("d", [1, 1]), array("i", [1, 0]), array("d", [1, 0])
    )
