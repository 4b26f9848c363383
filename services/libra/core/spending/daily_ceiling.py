"""Ceilings per model and UTC day: their ledgers' ids and limits, and how amounts are written."""

from __future__ import annotations

from datetime import UTC, datetime

from libra.core.spending.budget_ledger import Amount, amount
from libra.v1.model_pb2 import DailyAmount, Model


def ledger_id(model: str, time: datetime) -> str:
    """Return the id of the ledger of a model on the UTC day of a time; no name of a model contains "/"."""
    return f"{model}/{time.astimezone(UTC):%Y-%m-%d}"


def has_ceiling(model: Model) -> bool:
    """Return whether the spending on a model is limited."""
    return ceiling_of(model) != Amount()


def ceiling_of(model: Model) -> Amount:
    """Return the limit for the ledger."""
    return amount(model.ceiling.usd, model.ceiling.tokens, model.ceiling.requests)


def to_daily_amount(spent: Amount) -> DailyAmount:
    """Return an amount for callers."""
    return DailyAmount(usd=spent.usd, tokens=spent.tokens, requests=spent.requests)


def spending_text(spent: Amount, limit: Amount, *, with_limit: bool = True) -> str:
    """Return the limited measures of an amount, for instance "$4.98 of $5.00, 120 of 500 requests"."""
    dollars = [f"${each.usd:,.2f}" if each.usd >= 1 or not each.usd else f"${each.usd:.4f}" for each in (spent, limit)]
    measures = (
        (limit.nano_usd, dollars[0], dollars[1], ""),
        (limit.tokens, f"{spent.tokens:,}", f"{limit.tokens:,}", " tokens"),
        (limit.requests, f"{spent.requests:,}", f"{limit.requests:,}", " requests"),
    )
    parts = [
        f"{used} of {most}{unit}" if with_limit else f"{used}{unit}" for is_set, used, most, unit in measures if is_set
    ]
    return ", ".join(parts)
