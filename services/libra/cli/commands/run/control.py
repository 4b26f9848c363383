"""`libra run pause`, `resume` and `retry`: control a run that was created."""

from __future__ import annotations

from typing import Any

import click

from libra.cli.client import ServiceClient, with_client
from libra.cli.errors import field_names
from libra.cli.render import output
from libra.cli.render.runs.run import run_summary
from libra.cli.run_lookup import RUN_FIELDS, resolve_run_id, run_argument
from libra.cli.spec_options import budget_options
from libra.core.outcome_names import OUTCOMES
from libra.v1.run_control_pb2 import PauseRunRequest, ResumeRunRequest, RetryRunRequest
from libra.v1.run_control_pb2_grpc import RunControlServiceStub
from libra.v1.run_pb2 import Budget

FIELDS = RUN_FIELDS | {
    "budget": "--budget-usd, --budget-tokens or --budget-requests",
    "budget.usd": "--budget-usd",
    "spec.budget.usd": "--budget-usd",
    "budget.tokens": "--budget-tokens",
    "budget.requests": "--budget-requests",
    "outcomes": "--outcome",
}


@click.command()
@run_argument
@output.json_option
@with_client
async def pause(client: ServiceClient, run_id: str, *, as_json: bool) -> None:
    """Pause a run: it sends no more trials until `libra run resume`.

    Trials in flight are answered and judged.
    """
    request = PauseRunRequest(id=await resolve_run_id(client, run_id))
    with field_names(FIELDS):
        reply = await client.call(RunControlServiceStub, "PauseRun", request)
    if as_json:
        return output.print_json(reply)
    return click.echo(run_summary(reply.run))


@click.command()
@run_argument
@budget_options
@output.json_option
@with_client
async def resume(
    client: ServiceClient,
    run_id: str,
    *,
    budget_usd: float | None,
    budget_tokens: int | None,
    budget_requests: int | None,
    as_json: bool,
) -> None:
    """Resume a run that was paused, or that has used up its budget.

    \b
    libra run resume last --budget-usd 20

    Each limit replaces the run's own, for the whole run: what was spent before counts. Stored answers cost nothing.
    """  # noqa: D301 - click reads the \b
    budget = to_budget(budget_usd, budget_tokens, budget_requests)
    request = ResumeRunRequest(id=await resolve_run_id(client, run_id), budget=budget)
    with field_names(FIELDS):
        reply = await client.call(RunControlServiceStub, "ResumeRun", request)
    if as_json:
        return output.print_json(reply)
    return click.echo(run_summary(reply.run))


@click.command()
@run_argument
@click.option(
    "--outcome",
    "outcomes",
    type=click.Choice(["failed", "unjudged"]),
    multiple=True,
    default=("failed",),
    show_default=True,
    help="Retry the trials with this outcome; repeatable.",
)
@output.json_option
@with_client
async def retry(client: ServiceClient, run_id: str, *, outcomes: tuple[str, ...], as_json: bool) -> None:
    """Send the failed trials of a run again.

    \b
    libra run retry last --outcome failed --outcome unjudged

    Other verdicts stay. Stored answers are judged again and cost nothing. A finished run leaves the leaderboard until
    it has finished again.
    """  # noqa: D301 - click reads the \b
    request = RetryRunRequest(id=await resolve_run_id(client, run_id), outcomes=[OUTCOMES[name] for name in outcomes])
    with field_names(FIELDS):
        reply = await client.call(RunControlServiceStub, "RetryRun", request)
    if as_json:
        return output.print_json(reply)
    if not reply.withdrawn:
        return click.echo(f"run {reply.run.id}: no trial is {' or '.join(outcomes)}")
    what = "trial is" if reply.withdrawn == 1 else "trials are"
    return click.echo(
        f"run {reply.run.id}: {reply.withdrawn:,} {what} sent again. "
        f"`libra run watch {reply.run.id}` follows it to its end."
    )


def to_budget(usd: float | None, tokens: int | None, requests: int | None) -> Budget | None:
    """Return the limits that are set; None if none is."""
    limits: dict[str, Any] = {"usd": usd, "tokens": tokens, "requests": requests}
    used = {name: limit for name, limit in limits.items() if limit is not None}
    return Budget(**used) if used else None
