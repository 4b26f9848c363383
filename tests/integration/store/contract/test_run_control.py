"""The contract of every store for the control of runs: states, withdrawn verdicts, and ledgers of budgets."""

from __future__ import annotations

import asyncio

import pytest

from libra.core.spending.budget_ledger import Entry, Ledger, amount
from libra.store.runs import BUDGET_EXHAUSTED, PAUSED, RUNNING
from libra.v1.run_pb2 import RunState
from libra.v1.task_pb2 import Category
from libra.v1.verdict_pb2 import Outcome

from .any_store import AnyStore, Connect
from .test_contract import RUN, TASK, batch, record, verdict


@pytest.fixture
def store(connect: Connect) -> AnyStore:
    return connect(0)


WITHOUT_SCORE = {Outcome.OUTCOME_FAILED, Outcome.OUTCOME_UNJUDGED}


async def withdraw(store: AnyStore, outcomes: set[Outcome.ValueType]) -> int:
    return await store.verdicts.withdraw(
        RUN, "m", TASK, "none", category=Category.CATEGORY_CAPABILITY, outcomes=outcomes
    )


async def test_a_withdrawn_verdict_leaves_its_cell_and_can_be_written_again(connect: Connect) -> None:
    first, second = connect(0), connect(1)
    await first.verdicts.write([batch(*map(verdict, range(20)))])
    assert await withdraw(second, {Outcome.OUTCOME_FAILED}) == 5
    sums, counted = await first.cells.recount(RUN, 0, "m", TASK, "none")
    assert (sums.scored, sums.unjudged, sums.failed) == (counted.scored, counted.unjudged, counted.failed) == (5, 5, 0)
    assert sums.total == 15
    assert await withdraw(second, WITHOUT_SCORE) == 5
    assert await first.verdicts.write([batch(*map(verdict, range(20)))]) == 10
    sums, counted = await first.cells.recount(RUN, 0, "m", TASK, "none")
    assert (sums.unjudged, sums.failed, sums.total) == (counted.unjudged, counted.failed, counted.total) == (5, 5, 20)


async def test_a_verdict_with_a_score_is_never_withdrawn(store: AnyStore) -> None:
    await store.verdicts.write([batch(*map(verdict, range(8)))])
    assert await withdraw(store, {Outcome.OUTCOME_SCORED, Outcome.OUTCOME_FILTERED}) == 0
    assert len(await store.verdicts.list(RUN, limit=99)) == 8


async def test_concurrent_withdrawals_take_each_verdict_out_once(connect: Connect) -> None:
    stores = [connect(bucket) for bucket in (0, 1, 1)]
    await stores[0].verdicts.write([batch(*map(verdict, range(40)))])
    assert sum(await asyncio.gather(*(withdraw(each, WITHOUT_SCORE) for each in stores))) == 20
    sums, _ = await stores[0].cells.recount(RUN, 0, "m", TASK, "none")
    assert (sums.unjudged, sums.failed, sums.total) == (0, 0, 20)


async def test_a_state_is_changed_only_from_the_named_ones(store: AnyStore) -> None:
    await store.runs.insert(record())
    assert not await store.runs.change_state(RUN, {PAUSED}, RUNNING)
    assert await store.runs.change_state(RUN, {RUNNING}, PAUSED)
    assert await store.runs.list_running() == []
    assert not await store.runs.acquire_lease(RUN, "one", 10)
    assert not await store.runs.mark_ended(RUN, RunState.RUN_STATE_FINISHED)
    assert await store.runs.change_state(RUN, {PAUSED}, BUDGET_EXHAUSTED, changes=7)
    stored = await store.runs.get(RUN)
    assert stored is not None
    assert (stored.run.state, stored.changes) == (BUDGET_EXHAUSTED, 8)
    assert await store.runs.mark_ended(RUN, RunState.RUN_STATE_CANCELLED)


async def test_a_finished_run_that_runs_again_has_no_end_time(store: AnyStore) -> None:
    await store.runs.insert(record())
    await store.runs.mark_ended(RUN, RunState.RUN_STATE_FINISHED)
    assert await store.runs.change_state(RUN, {RunState.RUN_STATE_FINISHED}, RUNNING)
    stored = await store.runs.get(RUN)
    assert stored is not None
    assert not stored.run.HasField("end_time")


async def test_a_ledger_is_replaced_only_by_who_knows_its_version(store: AnyStore) -> None:
    entry = Entry(amount(usd=0.25, requests=1), amount(tokens=5, requests=1), until=1.5)
    ledger = Ledger(amount(usd=1), entries={"a.b": entry})
    assert await store.budgets.get(RUN) is None
    assert await store.budgets.add(RUN, ledger)
    assert not await store.budgets.add(RUN, ledger)
    assert await store.budgets.get(RUN) == ledger
    raised = ledger.with_limit(amount(usd=2))
    assert await store.budgets.replace(RUN, raised, ledger.version)
    assert not await store.budgets.replace(RUN, ledger, ledger.version)
    found = await store.budgets.read(RUN)
    assert found is not None
    assert found[0] == raised
    assert found[1] > 1_600_000_000
