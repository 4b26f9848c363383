"""Checks the budget of a spec, and converts budgets between the wire and the ledger."""

from __future__ import annotations

import math
from typing import Protocol

from libra.core.errors import Invalid
from libra.core.spending.budget_ledger import MAX_USD, Amount, Ledger, amount
from libra.core.spending.model_price import price_of
from libra.dispatch.spec.judge_resolution import MODEL_OPTION
from libra.dispatch.spec.run_spec import ResolvedSpec
from libra.v1.model_pb2 import Model
from libra.v1.run_pb2 import Budget, BudgetStatus, BudgetUse

UNITS = {"usd": "US dollars", "tokens": "tokens", "requests": "requests"}


class Models(Protocol):
    """The registered models."""

    async def get(self, name: str) -> Model | None:
        """Return one model; None if it is unknown."""


async def check_budget(resolved: ResolvedSpec, models: Models) -> None:
    """Raise Invalid for a budget that cannot be kept."""
    spec = resolved.spec
    if not spec.HasField("budget"):
        return
    check_limits(spec.budget, "spec.budget")
    if spec.budget.HasField("usd"):
        await check_prices(paid_models(resolved), models)


def check_limits(budget: Budget, field: str) -> None:
    """Raise Invalid for a budget without a limit, and for a limit that is no amount."""
    if not limits_of(budget):
        raise Invalid("the budget has no limit; set usd, tokens or requests", field=field)
    for name, limit in limits_of(budget):
        if limit <= 0 or not math.isfinite(limit) or (name == "usd" and limit > MAX_USD):
            most = f" and at most {MAX_USD:,.0f}" if name == "usd" else ""
            raise Invalid(f"a budget in {UNITS[name]} must be above 0{most}, not {limit:g}", field=f"{field}.{name}")


async def check_prices(names: list[str], models: Models) -> None:
    """Raise Invalid unless the price of each model is known."""
    unknown = [name for name in names if (model := await models.get(name)) is not None and price_of(model) is None]
    if unknown:
        raise Invalid(
            f"a budget in US dollars needs the price of every model, and that of {', '.join(unknown)} is not known; "
            "register the model with its price, or set a budget in tokens or requests",
            field="spec.budget.usd",
        )


def paid_models(resolved: ResolvedSpec) -> list[str]:
    """Return the models that the run makes requests to: those under test, judges and attackers."""
    spec = resolved.spec
    tested = [] if spec.rejudges else list(spec.models)
    judges = [section.judge.options.get(MODEL_OPTION, "") for section in resolved.sections]
    attack_models = [] if spec.rejudges else [spec.attack_model]
    return [name for name in dict.fromkeys([*tested, *judges, spec.judge_model, *attack_models]) if name]


def limits_of(budget: Budget) -> list[tuple[str, float]]:
    """Return the limits that are set, with their names."""
    set_fields = {field.name for field, _ in budget.ListFields()}
    return [(name, getattr(budget, name)) for name in UNITS if name in set_fields]


def limit_of(budget: Budget) -> Amount:
    """Return the limit for the ledger."""
    return amount(budget.usd, budget.tokens, budget.requests)


def raised_limit(ledger: Ledger, budget: Budget) -> Amount:
    """Return the ledger's limit with those that the budget sets."""
    limit, new = ledger.limit, limit_of(budget)
    return Amount(new.nano_usd or limit.nano_usd, new.tokens or limit.tokens, new.requests or limit.requests)


def budget_status(ledger: Ledger) -> BudgetStatus:
    """Return the state of a budget for callers."""
    limits = {name: limit for name in UNITS if (limit := getattr(ledger.limit, name))}
    return BudgetStatus(
        limit=Budget(**limits),
        settled=to_use(ledger.settled),
        reserved=to_use(ledger.reserved),
        exhausted=ledger.exhausted,
    )


def to_use(spent: Amount) -> BudgetUse:
    """Return an amount for callers."""
    return BudgetUse(usd=spent.usd, tokens=spent.tokens, requests=spent.requests)
