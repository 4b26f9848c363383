from __future__ import annotations

import pytest
from tests.integration.support.ranking_world import batch, create_run, failed, section

from libra.store.client import Store
from libra.store.reports.costs import Cost
from libra.v1.completion_pb2 import Completion, FinishReason, Usage
from libra.v1.verdict_pb2 import Outcome, Verdict

PLAIN, ATTACKED = section("harm@1", 3), section("harm@1", 3, attack="pair")


async def store_completion(store: Store, name: str, prompt: int, completion: int, usd: float, seconds: float) -> None:
    await store.completions.insert_or_get(
        Completion(
            id=name,
            finish_reason=FinishReason.FINISH_REASON_STOP,
            usage=Usage(prompt_tokens=prompt, completion_tokens=completion),
            cost_usd=usd,
            latency_seconds=seconds,
        )
    )


async def test_costs_are_summed_over_trials_and_over_the_models_that_wrote_for_the_attack(store: Store) -> None:
    await store_completion(store, "one-0", 10, 1, 0.5, 2.0)
    await store_completion(store, "one-1", 20, 2, 0.25, 1.5)
    run = await create_run(store, [PLAIN, ATTACKED])
    # The completion of the third trial is not stored, and the fourth trial has none.
    await store.verdicts.write([batch(run, PLAIN, [1, 0, 1]), failed(run, PLAIN, [3])])
    attacked = batch(run, ATTACKED, [1, 0])
    attacked.verdicts[1].completion_id = "one-0"  # the same completion as the plain prompt's
    attacked.verdicts[0].fields.update({"attack_tokens": "300", "attack_cost_usd": "0.125", "attack_seconds": "4.5"})
    attacked.verdicts[0].fields.update({"attack_form": "model", "a.b$": "x"})
    attacked.verdicts[1].fields.update({"attack_tokens": "?", "attack_form": "rules"})
    attacked.verdicts.append(Verdict(sample=2, outcome=Outcome.OUTCOME_FAILED, fields={"attack_tokens": "7"}))
    await store.verdicts.write([attacked])
    assert await store.costs.sum_by_attack(run, [("one", "harm@1")]) == [
        Cost("one", "harm@1", "none", 30, 3, 0.75, 3.5, 0, 0.0, 0.0, 0),
        Cost("one", "harm@1", "pair", 20, 2, 1.0, 4.0, 307, 0.125, 4.5, 1),
    ]


async def test_trials_with_an_unknown_price_are_counted(store: Store) -> None:
    for sample, price_unknown in enumerate((False, True, True)):
        completion = Completion(id=f"one-{sample}", price_unknown=price_unknown)
        completion.finish_reason = FinishReason.FINISH_REASON_STOP
        await store.completions.insert_or_get(completion)
    run = await create_run(store, [PLAIN, ATTACKED])
    attacked = batch(run, ATTACKED, [1, 1, 1])
    attacked.verdicts[0].fields.update({"attack_price": "unknown", "attack_cost_usd": "0.5"})
    attacked.verdicts[1].fields["attack_price"] = "unknown"
    for verdict in attacked.verdicts:
        verdict.completion_id = f"one-{verdict.sample}"
    await store.verdicts.write([batch(run, PLAIN, [1, 1, 1]), attacked])
    plain, pair = await store.costs.sum_by_attack(run, [("one", "harm@1")])
    assert (plain.unknown_price, pair.unknown_price, pair.attack_cost_usd) == (2, 3, 0.5)


async def test_only_the_requested_models_and_tasks_are_summed(store: Store) -> None:
    await store_completion(store, "one-0", 10, 1, 0.5, 2.0)
    other, longer = section("harm@2", 1), section("harm@11", 1)
    run = await create_run(store, [PLAIN, other, longer])
    await store.verdicts.write([batch(run, part, [1]) for part in (PLAIN, other, longer)])
    [cost] = await store.costs.sum_by_attack(run, [("one", "harm@1"), ("one", "harm@1")])
    assert (cost.task, cost.prompt_tokens) == ("harm@1", 10)
    assert await store.costs.sum_by_attack(run, [("two", "harm@1")]) == []
    assert [cost.task for cost in await store.costs.sum_by_attack(run, [("one", "harm@2"), ("one", "harm@1")])] == [
        "harm@1",
        "harm@2",
    ]


@pytest.mark.parametrize("fields", [{}, {"attack_seconds": ""}, {"attack_cost_usd": "1e3"}])
async def test_a_field_that_is_not_a_number_costs_nothing(store: Store, fields: dict[str, str]) -> None:
    run = await create_run(store, [ATTACKED])
    made = batch(run, ATTACKED, [1])
    made.verdicts[0].fields.update(fields)
    await store.verdicts.write([made])
    [cost] = await store.costs.sum_by_attack(run, [("one", "harm@1")])
    assert (cost.attack_tokens, cost.attack_seconds) == (0, 0)
    assert cost.attack_cost_usd == (1000 if "attack_cost_usd" in fields else 0)
