"""Audits over gRPC: a correct run has no findings, and every violation is named."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest
from tests.integration.support.ranking_world import (
    batch,
    create_run,
    failed,
    import_task,
    section,
    serving,
    store_completions,
)

from libra.core.errors import NotFound
from libra.core.event_types import AUDIT_FAILED
from libra.core.spending.budget_ledger import Entry, Ledger, amount
from libra.ranking.audit import (
    LAW_1_ONE_VERDICT,
    LAW_2_COMPLETIONS,
    LAW_3_CELL_SUMS,
    LAW_4_ONE_JUDGE,
    LAW_8_BUDGET,
    LAWS,
)
from libra.rpc.client import call
from libra.store import indexes
from libra.store.client import Store
from libra.store.runs import RunSection
from libra.v1.ranking_pb2 import AuditFinding, AuditRunRequest, AuditRunResponse
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.v1.run_pb2 import RunState
from libra.v1.verdict_pb2 import JudgeVersion

PART = section("harm@1", 8)
OTHER = section("harm@1", 8, attack="few_shots")


@dataclass
class World:
    store: Store
    stub: RankingServiceStub

    async def run(self, *parts: RunSection, models: tuple[str, ...] = ("one",), samples: int = 0) -> str:
        await import_task(self.store, "harm@1", 8)
        for model in models:
            await store_completions(self.store, model, range(10))
        return await create_run(self.store, parts or [PART], *models, samples=samples)

    async def finish(self, run: str, state: RunState.ValueType = RunState.RUN_STATE_FINISHED) -> None:
        await self.store.runs.mark_ended(run, state)

    async def audit(self, run: str) -> AuditRunResponse:
        response: AuditRunResponse = await call(self.stub.AuditRun, AuditRunRequest(run=run), 10)
        return response

    async def finding(self, run: str) -> AuditFinding:
        [finding] = (await self.audit(run)).findings
        return finding


@pytest.fixture
async def world(store: Store) -> AsyncIterator[World]:
    async with serving(store) as stub:
        yield World(store, stub)


async def test_a_correct_run_has_no_findings_and_the_audit_counts_what_it_read(world: World) -> None:
    run = await world.run(PART, OTHER, models=("one", "two.1"))
    for model in ("one", "two.1"):
        for part in (PART, OTHER):
            scores = [0.1, 0.2, 0.3, None, 0.7, 1, 0]
            await world.store.verdicts.write(
                [batch(run, part, scores, model=model), failed(run, part, [7], model=model)]
            )
    await world.finish(run)
    response = await world.audit(run)
    assert list(response.findings) == []
    assert (response.verdicts, response.cells) == (32, 4)
    assert response.completions == 14
    assert list(response.laws) == list(LAWS)


async def test_a_running_or_cancelled_run_may_have_trials_without_verdicts(world: World) -> None:
    run = await world.run()
    await world.store.verdicts.write([batch(run, PART, [1, 0])])
    assert list((await world.audit(run)).findings) == []
    await world.finish(run, RunState.RUN_STATE_CANCELLED)
    assert list((await world.audit(run)).findings) == []


async def test_a_trial_without_a_verdict_is_named(world: World) -> None:
    run = await world.run(PART, OTHER)
    await world.store.verdicts.write([batch(run, PART, [1] * 8), batch(run, OTHER, [1] * 3)])
    await world.store.verdicts.write([batch(run, OTHER, [1] * 4, first=4)])
    await world.finish(run)
    finding = await world.finding(run)
    assert finding.law == LAW_1_ONE_VERDICT
    assert finding.message == "1 trials of a finished run have no verdict"
    assert list(finding.concerned) == [f"{run}/0/one/harm@1/few_shots/00000003/0000"]


async def test_an_audit_that_fails_is_an_event_once_for_each_run(world: World) -> None:
    run = await world.run()
    await world.store.verdicts.write([batch(run, PART, [1] * 7)])
    await world.finish(run)
    for _ in range(2):
        await world.finding(run)
    [event] = await world.store.events.list_pending(9)
    assert (event.type, event.subject) == (AUDIT_FAILED, f"runs/{run}")
    assert event.data == {"run": run, "laws": [LAW_1_ONE_VERDICT]}


async def test_a_missing_trial_of_selected_samples_is_named_from_another_models_verdicts(world: World) -> None:
    part = section("harm@1", 3)
    run = await world.run(part, models=("one", "two"), samples=3)
    await world.store.verdicts.write([batch(run, part, [1] * 3, first=2), batch(run, part, [1], model="two", first=3)])
    await world.finish(run)
    concerned = (await world.finding(run)).concerned
    assert [name.rpartition("harm@1/none/")[2] for name in concerned] == ["00000002/0000", "00000004/0000"]


async def test_trials_that_cannot_be_named_are_counted(world: World) -> None:
    part = section("harm@1", 3)
    run = await world.run(part, samples=3)
    await world.store.verdicts.write([batch(run, part, [1])])
    await world.finish(run)
    finding = await world.finding(run)
    assert finding.message == "2 trials of a finished run have no verdict"
    assert list(finding.concerned) == [f"{run}/0/one/harm@1/none: 1 verdicts of 3 trials"]


async def test_a_verdict_on_a_trial_that_the_run_does_not_have_is_found(world: World) -> None:
    run = await world.run()
    await world.store.verdicts.write([batch(run, PART, [1] * 8), batch(run, OTHER, [1])])
    await world.finish(run)
    finding = await world.finding(run)
    assert finding.message == "1 verdicts are on trials that the run does not have"
    assert list(finding.concerned) == [f"{run}/0/one/harm@1/few_shots: 1 verdicts of 0 trials"]


async def test_a_verdict_whose_completion_is_missing_is_named(world: World) -> None:
    run = await world.run()
    await world.store.verdicts.write([batch(run, PART, [1] * 8)])
    await world.finish(run)
    await world.store._database[indexes.COMPLETIONS].delete_one({"_id": "one-5"})
    finding = await world.finding(run)
    assert finding.law == LAW_2_COMPLETIONS
    assert list(finding.concerned) == [f"{run}/0/one/harm@1/none/00000005/0000"]


async def test_a_cell_that_differs_from_its_verdicts_is_named(world: World) -> None:
    run = await world.run(PART, OTHER)
    await world.store.verdicts.write([batch(run, PART, [1] * 8), batch(run, OTHER, [0] * 8)])
    await world.finish(run)
    await world.store._database[indexes.CELLS].update_one({"attack": "none"}, {"$inc": {"sum": 0.001}})
    await world.store._database[indexes.CELLS].delete_one({"attack": "few_shots"})
    finding = await world.finding(run)
    assert finding.law == LAW_3_CELL_SUMS
    assert finding.message == "2 cells differ from the sums over their verdicts"
    assert [name.partition(":")[0] for name in finding.concerned] == [
        f"{run}/0/one/harm@1/few_shots",
        f"{run}/0/one/harm@1/none",
    ]


async def test_two_judges_in_one_cell_are_found(world: World) -> None:
    run = await world.run()
    other = JudgeVersion(name="refusal", version="2")
    await world.store.verdicts.write([batch(run, PART, [1] * 4), batch(run, PART, [1] * 4, first=4, judge=other)])
    await world.finish(run)
    assert (await world.finding(run)).law == LAW_4_ONE_JUDGE


async def test_an_unknown_run_is_not_found(world: World) -> None:
    with pytest.raises(NotFound, match="there is no run 'unknown'"):
        await world.audit("unknown")


async def test_a_run_that_has_spent_more_than_its_budget_and_what_was_in_flight_is_found(world: World) -> None:
    run = await world.run(PART)
    await world.store.verdicts.write([batch(run, PART, [1.0] * 8)])
    await world.finish(run)
    collection = world.store._database[indexes.RUNS]
    await collection.update_one({"_id": run}, {"$set": {"run.spec.budget": {"requests": 8}}})
    finding = await world.finding(run)
    assert (finding.law, list(finding.concerned)) == (LAW_8_BUDGET, [run])
    holder = Entry(amount(requests=10), amount(), 0.0)
    ledger = Ledger(amount(requests=8), entries={"gateway": holder}, peak_reserved=amount(requests=2))
    await world.store.budgets.add(run, ledger)
    response = await world.audit(run)
    assert list(response.findings) == []
    assert response.laws[-1] == LAW_8_BUDGET
    await world.store.budgets.replace(run, replace(ledger, peak_reserved=amount(requests=1)), ledger.version)
    finding = await world.finding(run)
    assert list(finding.concerned) == [f"{run}: requests: 10 settled, 8 in the budget, at most 1 in flight"]
