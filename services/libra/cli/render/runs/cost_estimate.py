"""Prints what a run will cost, and what it has spent of its budget."""

from __future__ import annotations

import click

from libra.cli.render.format import ABSENT, short_count
from libra.cli.render.output import add_row, new_table, print_note, print_table
from libra.v1.run_control_pb2 import (
    ESTIMATE_ROLE_ATTACK,
    ESTIMATE_ROLE_JUDGE,
    ESTIMATE_SOURCE_PROMPT_LENGTH,
    ESTIMATE_SOURCE_STORED_USAGE,
    ESTIMATE_SOURCE_UNKNOWN,
    EstimateRunResponse,
)
from libra.v1.run_pb2 import BudgetStatus

ROLES = {0: "tested", ESTIMATE_ROLE_JUDGE: "judge", ESTIMATE_ROLE_ATTACK: "attack"}
SOURCES = {
    ESTIMATE_SOURCE_STORED_USAGE: "stored usage",
    ESTIMATE_SOURCE_PROMPT_LENGTH: "lengths",
    ESTIMATE_SOURCE_UNKNOWN: "unknown",
}

SMALL_USD = 1.0
"""Smaller amounts have four decimals: a small budget is spent in fractions of a cent."""


def usd_text(usd: float) -> str:
    """Return an amount of US dollars, for instance "$12.50" or "$0.0125"."""
    return f"${usd:,.2f}" if usd >= SMALL_USD or not usd else f"${usd:.4f}"


def print_estimate(reply: EstimateRunResponse) -> None:
    """Print a table of the sections, the total, and what the estimate leaves out."""
    heads = ("model", "as", "task", "attack", "trials", "prompt", "answer", "cost", "from")
    table = new_table(*heads, right=heads[4:8])
    for each in reply.sections:
        is_unknown = each.source == ESTIMATE_SOURCE_UNKNOWN
        cost = "unknown" if each.price_unknown or is_unknown else usd_text(each.cost_usd)
        counts = (each.prompt_tokens, each.completion_tokens)
        tokens = (ABSENT, ABSENT) if is_unknown else tuple(map(short_count, counts))
        task = each.task.partition("@")[0]
        add_row(
            table,
            each.model,
            ROLES[each.role],
            task,
            each.attack,
            f"{each.trials:,}",
            *tokens,
            cost,
            SOURCES[each.source],
        )
    print_table(table, empty="the run asks no model")
    total = reply.total
    click.echo(f"\n{total.requests:,} requests, {total.tokens:,} tokens, {usd_text(total.usd)}")
    if any(each.source == ESTIMATE_SOURCE_PROMPT_LENGTH for each in reply.sections):
        print_note("lengths: from the prompts and the limit on answer tokens, so rather an upper limit")
    for warning in reply.warnings:
        print_note(f"note: {warning}")


def budget_text(budget: BudgetStatus) -> str:
    """Return what was spent of a budget, for instance "$1.20 of $20.00, 340 of 1,000 requests"."""
    limit, spent = budget.limit, budget.settled
    parts = []
    if limit.usd:
        parts.append(f"{usd_text(spent.usd)} of {usd_text(limit.usd)}")
    if limit.tokens:
        parts.append(f"{spent.tokens:,} of {limit.tokens:,} tokens")
    if limit.requests:
        parts.append(f"{spent.requests:,} of {limit.requests:,} requests")
    return ", ".join(parts)
