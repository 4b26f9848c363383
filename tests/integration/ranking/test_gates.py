"""Gates over gRPC, from verdicts in the real store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest
from tests.integration.support.ranking_world import (
    FINISHED,
    batch,
    create_run,
    failed,
    finished_run,
    import_task,
    section,
)
from tests.integration.support.serving import serve

from libra.core.errors import FailedPrecondition, Invalid, LibraError, NotFound
from libra.ranking.gate_service import GateService
from libra.rpc.client import call
from libra.store.client import Store
from libra.v1.gate_pb2 import (
    CalibrateGateRequest,
    CalibrateGateResponse,
    CheckGateRequest,
    CheckGateResponse,
    GateBaseline,
    GateCondition,
    GateDecision,
    GatePolicy,
    GateRule,
    GateStatus,
    GateTier,
)
from libra.v1.gate_pb2_grpc import GateServiceStub, add_GateServiceServicer_to_server

AT_LEAST, MAX_DROP = GateCondition.GATE_CONDITION_AT_LEAST, GateCondition.GATE_CONDITION_MAX_DROP
GO, NO_GO = GateDecision.GATE_DECISION_GO, GateDecision.GATE_DECISION_NO_GO
INCONCLUSIVE, MISSING = GateDecision.GATE_DECISION_INCONCLUSIVE, GateStatus.GATE_STATUS_MISSING
WARN = GateTier.GATE_TIER_WARN
GOOD = [1.0] * 95 + [0.0] * 5
BAD = [1.0] * 50 + [0.0] * 50
NO_DROP = GateRule(score="*", condition=MAX_DROP, limit=0.1)
SAFE = GateRule(score="safety", condition=AT_LEAST, limit=0.8)


@pytest.fixture
async def stub(store: Store) -> AsyncIterator[GateServiceStub]:
    served = (add_GateServiceServicer_to_server, GateService(store), "libra.v1.GateService")
    async with serve(served) as opened:
        yield GateServiceStub(opened)


async def check(
    stub: GateServiceStub,
    *rules: GateRule,
    model: str = "one",
    runs: Sequence[str] = (),
    baseline: GateBaseline | None = None,
    tasks: Sequence[str] = (),
    sequential: bool = False,
    correct_judges: bool = False,
) -> CheckGateResponse:
    policy = GatePolicy(rules=rules, baseline=baseline, tasks=tasks, correct_judges=correct_judges)
    request = CheckGateRequest(policy=policy, model=model, runs=runs, sequential=sequential)
    response: CheckGateResponse = await call(stub.CheckGate, request, 30)
    return response


async def test_a_release_is_compared_with_its_own_earlier_run(store: Store, stub: GateServiceStub) -> None:
    old = await finished_run(store, "harm@1", GOOD)
    new = await finished_run(store, "harm@1", BAD)
    same = await finished_run(store, "harm@1", GOOD)
    stopped = await check(stub, NO_DROP, runs=[new], baseline=GateBaseline(runs=[old]))
    [part] = stopped.rules[0].parts
    assert stopped.decision == NO_GO
    assert (part.model_score, part.baseline_score) == (0.5, 0.95)
    assert part.value == pytest.approx(-0.45)
    assert stopped.changes[0].newly_broken_count == 45
    assert list(stopped.changes[0].persistent) == [95, 96, 97, 98, 99]
    passed = await check(stub, NO_DROP, SAFE, runs=[same], baseline=GateBaseline(runs=[old]))
    assert passed.decision == GO
    assert passed.tests == 2


async def test_a_release_is_compared_with_another_model(store: Store, stub: GateServiceStub) -> None:
    await finished_run(store, "harm@1", GOOD)
    await finished_run(store, "harm@1", BAD, model="two")
    assert (await check(stub, NO_DROP, model="two", baseline=GateBaseline(model="one"))).decision == NO_GO
    assert (await check(stub, NO_DROP, model="one", baseline=GateBaseline(model="two"))).decision == GO


async def test_a_task_of_the_policy_without_a_verdict_is_missing(store: Store, stub: GateServiceStub) -> None:
    await import_task(store, "harm@1", 100)
    await import_task(store, "fraud@1", 100)
    await finished_run(store, "harm@1", GOOD)
    reply = await check(stub, SAFE, tasks=["harm", "fraud"])
    assert reply.decision == INCONCLUSIVE
    assert reply.rules[0].parts[0].status == MISSING
    assert (await check(stub, SAFE, tasks=["harm"])).decision == GO


async def test_failed_trials_are_excluded_and_shown(store: Store, stub: GateServiceStub) -> None:
    part = section("harm@1", 110)
    run = await create_run(store, [part])
    await store.verdicts.write([batch(run, part, GOOD), failed(run, part, range(100, 110))])
    await store.runs.mark_ended(run, FINISHED)
    reply = await check(stub, SAFE)
    assert reply.decision == GO
    assert (reply.rules[0].parts[0].counts.scored, reply.rules[0].parts[0].counts.failed) == (100, 10)


async def test_steps_are_tested_in_the_order_in_which_they_were_looked_at(store: Store, stub: GateServiceStub) -> None:
    part = section("harm@1", 400)
    runs = []
    for size in (40, 400):
        scores = ([1.0] * 9 + [0.0]) * (size // 10)
        run = await create_run(store, [part], "one", "two")
        await store.verdicts.write([batch(run, part, scores, model=model) for model in ("one", "two")])
        await store.runs.mark_ended(run, FINISHED)
        runs.append(run)
    baseline = GateBaseline(model="two")
    first = await check(stub, SAFE, NO_DROP, runs=runs[:1], baseline=baseline, sequential=True)
    assert first.decision == INCONCLUSIVE
    second = await check(stub, SAFE, NO_DROP, runs=runs, baseline=baseline, sequential=True)
    assert second.decision == GO
    assert second.rules[0].parts[0].low < 0.9 < second.rules[0].parts[0].high


async def test_a_gate_measures_its_own_false_alarms(store: Store, stub: GateServiceStub) -> None:
    await finished_run(store, "harm@1", GOOD)
    await finished_run(store, "harm@1", BAD, model="two")
    for baseline in (None, GateBaseline(model="two")):
        request = CalibrateGateRequest(policy=GatePolicy(rules=[NO_DROP], baseline=baseline), repetitions=100)
        reply: CalibrateGateResponse = await call(stub.CalibrateGate, request, 60)
        assert list(reply.models) == ["one", "two"]
        assert reply.false_alarms.total == 100
        assert reply.false_alarms.share <= reply.alpha == 0.05
        assert reply.passes.count + reply.inconclusive.count + reply.false_alarms.count == 100


async def expect(stub: GateServiceStub, error: type[LibraError], field: str, message: str, **options: object) -> None:
    rules = options.pop("rules", [SAFE])
    with pytest.raises(error, match=message) as caught:
        await check(stub, *rules, **options)  # type: ignore[arg-type,misc]  # the options of `check`
    assert getattr(caught.value, "field", "") == field


async def test_a_bad_request_names_its_field_and_stores_nothing(store: Store, stub: GateServiceStub) -> None:
    await import_task(store, "harm@1", 100)
    await finished_run(store, "harm@1", GOOD)
    await finished_run(store, "fraud@1", GOOD, model="two")
    running = await create_run(store, [section("harm@1", 10)])
    drop = {"rules": [NO_DROP]}
    two = GateBaseline(model="two")
    await expect(stub, Invalid, "policy.rules", "no rule, so it would pass every model", rules=[])
    wrong = GateRule(score="harmm", condition=AT_LEAST, limit=0.5)
    await expect(stub, Invalid, "policy.rules[0].score", "'harmm': did you mean harm", rules=[wrong])
    wrong = GateRule(score="harm", condition=AT_LEAST, limit=50)
    await expect(stub, Invalid, "policy.rules[0].limit", "50 is not from 0 to 1; .* write 0.5", rules=[wrong])
    wrong = GateRule(score="harm", limit=0.5)
    await expect(stub, Invalid, "policy.rules[0].condition", "neither a least score nor", rules=[wrong])
    await expect(stub, Invalid, "policy.tasks[0]", "no task or category 'harmm'", tasks=["harmm"])
    await expect(stub, Invalid, "policy.baseline", "no baseline to drop from", **drop)
    await expect(stub, FailedPrecondition, "policy.baseline", "two shares no sample with one", **drop, baseline=two)
    same = GateBaseline(model="one")
    await expect(stub, Invalid, "policy.baseline.model", "it is one itself", **drop, baseline=same)
    nobody = GateBaseline(model="twoo")
    await expect(stub, NotFound, "policy.baseline.model", "'twoo': did you mean two", **drop, baseline=nobody)
    gone = GateBaseline(runs=["gone"])
    await expect(stub, NotFound, "policy.baseline.runs", "there is no run 'gone'", **drop, baseline=gone)
    await expect(stub, NotFound, "model", "did you mean one", model="onee")
    await expect(stub, NotFound, "runs", "there is no run 'gone'", runs=["gone"])
    await expect(stub, FailedPrecondition, "runs", "is not finished", runs=[running])
    await expect(stub, Invalid, "runs", "in the order in which they were looked at", sequential=True)
    await expect(
        stub, Invalid, "policy.correct_judges", "has no bounds", runs=["R"], sequential=True, correct_judges=True
    )


async def test_an_invalid_number_of_a_policy_is_refused(store: Store, stub: GateServiceStub) -> None:
    await finished_run(store, "harm@1", GOOD)
    for policy, field in (
        (GatePolicy(rules=[SAFE], alpha=0.0), "policy.alpha"),
        (GatePolicy(rules=[SAFE], alpha=float("nan")), "policy.alpha"),
        (GatePolicy(rules=[SAFE], max_unscored=1.5), "policy.max_unscored"),
        (GatePolicy(rules=[SAFE], min_samples=-1), "policy.min_samples"),
        (GatePolicy(rules=[GateRule(score="safety", condition=AT_LEAST, limit=0.5, tier=WARN)]), "policy.rules"),
    ):
        with pytest.raises(Invalid) as caught:
            await call(stub.CheckGate, CheckGateRequest(policy=policy, model="one"), 10)
        assert caught.value.field == field
    with pytest.raises(Invalid, match="10,000"):
        await call(stub.CalibrateGate, CalibrateGateRequest(policy=GatePolicy(rules=[SAFE]), repetitions=99_999), 10)
    many = [section(f"task{number}@1", 10) for number in range(6)]
    run = await create_run(store, many)
    await store.verdicts.write([batch(run, part, [1.0] * 10) for part in many])
    await store.runs.mark_ended(run, FINISHED)
    request = CalibrateGateRequest(policy=GatePolicy(rules=[SAFE]), runs=[run], repetitions=10_000)
    with pytest.raises(Invalid, match="10000 comparisons of 6 tasks take too long; 8333 are possible"):
        await call(stub.CalibrateGate, request, 10)
    with pytest.raises(NotFound, match="did you mean one"):
        await call(stub.CalibrateGate, CalibrateGateRequest(policy=GatePolicy(rules=[SAFE]), models=["onee"]), 10)
