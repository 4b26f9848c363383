from __future__ import annotations

import pytest

from libra.core.errors import Invalid
from libra.core.spending.budget_ledger import Ledger, amount
from libra.dispatch.spec.budget_fields import budget_status, check_budget, check_limits, raised_limit
from libra.dispatch.spec.run_spec import ResolvedSpec
from libra.store.runs import RunSection
from libra.v1.model_pb2 import Model, ModelPrice, Provider
from libra.v1.run_pb2 import Budget, RunSpec
from libra.v1.task_pb2 import JudgeSpec

URL = "http://127.0.0.1:1/v1"


class Models:
    """Registered models: one with a price, one that costs nothing, and one whose price nobody knows."""

    async def get(self, name: str) -> Model | None:
        known = {
            "priced": Model(name="priced", base_url=URL, price=ModelPrice(usd_per_million_prompt_tokens=1)),
            "refuser": Model(name="refuser", provider=Provider.PROVIDER_SCRIPTED),
            "unpriced": Model(name="unpriced", provider=Provider.PROVIDER_OPENAI, base_url=URL),
        }
        return known.get(name)


def spec(budget: Budget, *, judge: str = "", **fields: str) -> ResolvedSpec:
    judges = JudgeSpec(name="model", options={"model": judge} if judge else {})
    section = RunSection("t@0", "none", 0, 1, judges)
    return ResolvedSpec(RunSpec(models=["priced", "refuser"], budget=budget, **fields), (section,), ())  # type: ignore[arg-type]  # text fields


@pytest.mark.parametrize(
    ("budget", "field"),
    [
        (Budget(), "spec.budget"),
        (Budget(usd=0), "spec.budget.usd"),
        (Budget(usd=-1), "spec.budget.usd"),
        (Budget(usd=float("nan")), "spec.budget.usd"),
        (Budget(usd=float("inf")), "spec.budget.usd"),
        (Budget(tokens=0, usd=1), "spec.budget.tokens"),
        (Budget(requests=-3), "spec.budget.requests"),
    ],
)
async def test_a_budget_must_limit_something_by_an_amount(budget: Budget, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        await check_budget(spec(budget), Models())
    assert caught.value.field == field


@pytest.mark.parametrize("fields", [{"judge": "unpriced"}, {"judge_model": "unpriced"}, {"attack_model": "unpriced"}])
async def test_dollars_need_the_price_of_judges_and_attackers_too(fields: dict[str, str]) -> None:
    await check_budget(spec(Budget(usd=1)), Models())
    await check_budget(spec(Budget(tokens=1), **fields), Models())
    with pytest.raises(Invalid, match="unpriced is not known"):
        await check_budget(spec(Budget(usd=1), **fields), Models())


async def test_a_rejudging_pays_its_judges_only() -> None:
    resolved = spec(Budget(usd=1), rejudges="01RUN", attack_model="unpriced")
    resolved.spec.models.append("unpriced")
    await check_budget(resolved, Models())


def test_a_raised_limit_leaves_the_others() -> None:
    ledger = Ledger(amount(usd=1, requests=10))
    assert raised_limit(ledger, Budget(usd=2.5)) == amount(usd=2.5, requests=10)
    assert raised_limit(ledger, Budget(tokens=7)) == amount(usd=1, tokens=7, requests=10)


def test_limits_that_are_not_set_are_not_shown() -> None:
    limit = budget_status(Ledger(amount(usd=1.25))).limit
    assert limit == Budget(usd=1.25)
    check_limits(limit, "budget")
