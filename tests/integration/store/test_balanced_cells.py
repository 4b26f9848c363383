"""The cells of tasks whose score is balanced over gold labels, in the real store and in the one in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from libra.core.gold_labels import GOLD_LABEL_FIELD
from libra.local.servers import MongoServer
from libra.store.client import Store
from libra.store.sums.label_sums import LabelSums
from libra.testing.memory import MemoryServer, MemoryStore
from libra.v1.batch_pb2 import BatchHeader, VerdictBatch
from libra.v1.task_pb2 import Category
from libra.v1.verdict_pb2 import JudgeVersion, Outcome, Verdict

AnyStore = Store | MemoryStore
RUN, TASK = "01JZ0000000000000000000000", "odd@0123456789ab"
JUDGE = JudgeVersion(name="exact", version="2")
SCORED, FILTERED, UNJUDGED = Outcome.OUTCOME_SCORED, Outcome.OUTCOME_FILTERED, Outcome.OUTCOME_UNJUDGED


@pytest.fixture(params=["memory", "mongo"])
async def any_store(request: pytest.FixtureRequest) -> AsyncIterator[AnyStore]:
    if request.param == "memory":
        connected: AnyStore = MemoryStore(MemoryServer(), bucket=0)
    else:
        # Requested by name, so that the store in memory needs no mongod.
        mongo: MongoServer = request.getfixturevalue("mongo_server")
        connected = Store.connect(mongo.url, request.getfixturevalue("database"), bucket=0)
    await connected.ensure_indexes()
    yield connected
    await connected.close()


def batch(*verdicts: tuple[int, str, float, Outcome.ValueType], balanced_by: str = "truth") -> VerdictBatch:
    """Return verdicts: the sample, its gold label, the score and the outcome."""
    header = BatchHeader(
        run=RUN, model="m", task=TASK, attack="none", category=Category.CATEGORY_CAPABILITY, balanced_by=balanced_by
    )
    made = [
        Verdict(sample=sample, outcome=outcome, score=score, judge=JUDGE, fields={GOLD_LABEL_FIELD: label})
        for sample, label, score, outcome in verdicts
    ]
    return VerdictBatch(header=header, verdicts=made)


async def test_a_balanced_cell_has_sums_by_gold_label(any_store: AnyStore) -> None:
    await any_store.verdicts.write([batch((0, "yes", 1.0, SCORED), (1, "$v1.5", 0.5, SCORED))])
    await any_store.verdicts.write(
        [batch((2, "yes", 1.0, FILTERED), (3, "yes", 0.0, UNJUDGED), (1, "yes", 1.0, SCORED))]
    )
    [cell] = await any_store.cells.list_for_runs([RUN])
    assert cell.is_balanced
    assert cell.labels == {"$v1.5": LabelSums(1, 0.5, 0.25), "yes": LabelSums(2, 2.0, 2.0, 1, 1.0)}
    assert (cell.filtered_n, cell.filtered_sum) == (1, 1.0)
    sums, counted = await any_store.cells.recount(RUN, 0, "m", TASK, "none")
    assert sums == counted
    assert sums.labels == cell.labels


async def test_the_cell_of_a_task_that_is_not_balanced_has_no_labels(any_store: AnyStore) -> None:
    await any_store.verdicts.write([batch((0, "yes", 1.0, SCORED), balanced_by="")])
    [cell] = await any_store.cells.list_for_runs([RUN])
    assert (cell.labels, cell.is_balanced) == ({}, False)
    sums, counted = await any_store.cells.recount(RUN, 0, "m", TASK, "none")
    assert sums == counted


async def test_a_cell_with_verdicts_of_an_earlier_version_is_not_balanced(any_store: AnyStore) -> None:
    await any_store.verdicts.write([batch((0, "yes", 1.0, SCORED)), batch((1, "no", 0.0, SCORED), balanced_by="")])
    [cell] = await any_store.cells.list_for_runs([RUN])
    assert cell.labels == {"yes": LabelSums(1, 1.0, 1.0)}
    assert not cell.is_balanced
