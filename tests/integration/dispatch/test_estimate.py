"""Estimates of runs, from trials in the real store: models under test, judges and attacks."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.integration.support.ranking_world import batch, create_run, import_task, section

from libra.core.spending.budget_ledger import amount
from libra.dispatch.control.estimate import Estimator, to_response
from libra.dispatch.spec.run_spec import ResolvedSpec
from libra.store.client import Store
from libra.store.runs import RunSection
from libra.v1.batch_pb2 import JudgeUsage
from libra.v1.completion_pb2 import Completion, FinishReason, GenerationParameters, Usage
from libra.v1.model_pb2 import Model, ModelPrice, Provider
from libra.v1.run_control_pb2 import (
    ESTIMATE_ROLE_ATTACK,
    ESTIMATE_ROLE_JUDGE,
    ESTIMATE_SOURCE_PROMPT_LENGTH,
    ESTIMATE_SOURCE_STORED_USAGE,
    ESTIMATE_SOURCE_UNKNOWN,
    EstimateRunResponse,
    SectionEstimate,
)
from libra.v1.run_pb2 import RunSpec, RunState
from libra.v1.task_pb2 import JudgeSpec

PRICE = ModelPrice(usd_per_million_prompt_tokens=1, usd_per_million_completion_tokens=10)


@pytest.fixture
async def models(store: Store) -> Store:
    await import_task(store, "harm@1", 8)
    for name in ("one", "judge", "attacker"):
        await store.models.add(Model(name=name, provider=Provider.PROVIDER_OPENAI, base_url="http://h/v1", price=PRICE))
    return store


async def estimate(store: Store, *sections: RunSection, rejudges: str = "") -> EstimateRunResponse:
    spec = RunSpec(models=["one"], tasks=["harm@1"], attack_model="attacker", rejudges=rejudges)
    spec.parameters.CopyFrom(GenerationParameters(max_tokens=100))
    resolved = ResolvedSpec(spec, sections, (), frozenset({"pair"}))
    return to_response(await Estimator(store).estimate(resolved), resolved)


def of_role(reply: EstimateRunResponse, role: int) -> list[SectionEstimate]:
    return [each for each in reply.sections if each.role == role]


def judged(part: RunSection) -> RunSection:
    return replace(part, judge=JudgeSpec(name="harm", options={"model": "judge", "max_tokens": "64"}))


async def store_usage(store: Store, name: str, model: str, prompt: int, completion: int) -> None:
    usage = Usage(prompt_tokens=prompt, completion_tokens=completion)
    stop = FinishReason.FINISH_REASON_STOP
    await store.completions.insert_or_get(Completion(id=name, model=model, usage=usage, finish_reason=stop))


async def test_a_judge_is_estimated_by_lengths_and_then_by_its_stored_replies(models: Store) -> None:
    part = judged(section("harm@1", 8))
    first = await estimate(models, part)
    [tested], [judge] = of_role(first, 0), of_role(first, ESTIMATE_ROLE_JUDGE)
    assert (judge.model, judge.requests, judge.source) == ("judge", 8, ESTIMATE_SOURCE_PROMPT_LENGTH)
    assert judge.completion_tokens == 8 * 64
    assert judge.prompt_tokens >= tested.prompt_tokens + tested.completion_tokens + 8 * 500 - 8
    assert any("one request for each trial" in warning for warning in first.warnings)
    await store_usage(models, "a", "judge", 200, 10)
    await store_usage(models, "b", "judge", 300, 30)
    await store_usage(models, "c", "one", 9_000, 9_000)
    reply = await estimate(models, part)
    [judge] = of_role(reply, ESTIMATE_ROLE_JUDGE)
    assert (judge.prompt_tokens, judge.completion_tokens) == (2_000, 160)
    assert judge.source == ESTIMATE_SOURCE_STORED_USAGE
    assert judge.cost_usd == pytest.approx((2_000 + 1_600) / 1e6)
    assert reply.total.requests == 16


async def judged_run(store: Store, part: RunSection, usage: list[JudgeUsage], *, model: str = "one") -> None:
    run = await create_run(store, [part], model)
    made = batch(run, part, [1, 0, 1, 0], model=model)
    made.judged_trials = 4
    made.judge_usage.extend(usage)
    await store.verdicts.write([made])
    await store.runs.mark_ended(run, RunState.RUN_STATE_FINISHED)


async def test_a_judge_is_estimated_by_what_it_used_for_the_same_model_task_and_attack(models: Store) -> None:
    part = judged(section("harm@1", 8))
    await store_usage(models, "a", "judge", 9_000, 9_000)
    other_judge = replace(part, judge=JudgeSpec(name="harm", options={"model": "judge", "max_tokens": "65"}))
    await judged_run(models, other_judge, [JudgeUsage(model="judge", requests=4, prompt_tokens=7_000)])
    await judged_run(models, part, [JudgeUsage(model="judge", requests=2, prompt_tokens=800)], model="two")
    [judge] = of_role(await estimate(models, part), ESTIMATE_ROLE_JUDGE)
    assert (judge.requests, judge.prompt_tokens, judge.completion_tokens) == (4, 1_600, 0)
    usage = [
        JudgeUsage(model="judge", requests=3, prompt_tokens=300, completion_tokens=30),
        JudgeUsage(model="attacker", requests=4, prompt_tokens=40, completion_tokens=4),
    ]
    await judged_run(models, part, usage)
    await judged_run(models, part, [JudgeUsage(model="judge", requests=2, prompt_tokens=800)], model="two")
    reply = await estimate(models, part)
    first, second = of_role(reply, ESTIMATE_ROLE_JUDGE)
    assert (first.model, first.requests, first.prompt_tokens, first.completion_tokens) == ("attacker", 8, 80, 8)
    assert (second.model, second.requests, second.prompt_tokens, second.completion_tokens) == ("judge", 6, 600, 60)
    assert first.source == second.source == ESTIMATE_SOURCE_STORED_USAGE
    assert second.cost_usd == pytest.approx((600 + 600) / 1e6)
    assert reply.total.requests == 8 + 8 + 6
    [none] = of_role(await estimate(models, replace(part, attack="pair")), ESTIMATE_ROLE_JUDGE)
    assert none.requests == 8


async def test_usage_that_was_not_counted_is_no_base_of_an_estimate(models: Store) -> None:
    part = judged(section("harm@1", 8))
    await judged_run(models, part, [JudgeUsage(model="judge", requests=4, prompt_tokens=7, unknown_usage=1)])
    [judge] = of_role(await estimate(models, part), ESTIMATE_ROLE_JUDGE)
    assert judge.source == ESTIMATE_SOURCE_PROMPT_LENGTH


async def test_an_attack_is_unknown_until_there_are_stored_trials(models: Store) -> None:
    part = section("harm@1", 2, attack="pair")
    reply = await estimate(models, part)
    [attack] = of_role(reply, ESTIMATE_ROLE_ATTACK)
    assert (attack.model, attack.source, attack.prompt_tokens) == ("attacker", ESTIMATE_SOURCE_UNKNOWN, 0)
    assert any("pair on harm@1" in warning for warning in reply.warnings)
    for sample in range(2):
        await store_usage(models, f"one-{sample}", "one", 10, 5)
    run = await create_run(models, [part])
    await models.runs._collection.update_one({"_id": run}, {"$set": {"run.spec.attack_model": "attacker"}})
    made = batch(run, part, [1, 0])
    for verdict in made.verdicts:
        verdict.completion_id = f"one-{verdict.sample}"
        verdict.fields.update({"attack_tokens": "300", "attack_cost_usd": "0.25"})
    await models.verdicts.write([made])
    await models.runs.mark_ended(run, RunState.RUN_STATE_FINISHED)
    reply = await estimate(models, part)
    [attack] = of_role(reply, ESTIMATE_ROLE_ATTACK)
    assert (attack.prompt_tokens, attack.cost_usd, attack.source) == (600, 0.5, ESTIMATE_SOURCE_STORED_USAGE)
    assert reply.total.tokens == 600 + 30
    assert not any("pair" in warning for warning in reply.warnings)
    assert amount(reply.total.usd).usd == pytest.approx(0.5 + 2 * (10 + 50) / 1e6)


async def test_a_rejudging_is_estimated_by_its_judge_alone(models: Store) -> None:
    reply = await estimate(models, judged(section("harm@1", 8)), rejudges="01RUN")
    assert [each.role for each in reply.sections] == [ESTIMATE_ROLE_JUDGE]
    assert reply.total.requests == 8
