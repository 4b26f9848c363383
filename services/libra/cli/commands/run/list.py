"""`libra run list`: the runs, the newest first."""

from __future__ import annotations

import click

from libra.cli.client import MAX_PAGE, ServiceClient, with_client
from libra.cli.render import output
from libra.cli.render.format import one_line
from libra.cli.render.models.model_health import parked_mark
from libra.cli.render.runs.run import settled_trials, state_name, unscored_trials
from libra.v1.run_pb2 import ListRunsRequest
from libra.v1.run_pb2_grpc import RunServiceStub

MODELS_CHARACTERS = 40


@click.command("list")
@click.option(
    "--limit", type=click.IntRange(0), default=20, show_default=True, help="Maximum number of runs; 0 for all."
)
@output.json_option
@with_client
async def list_runs(client: ServiceClient, limit: int, *, as_json: bool) -> None:
    """List runs, the newest first.

    The column failed counts the trials without a score, unjudged ones included.
    """
    request = ListRunsRequest(page_size=min(limit or MAX_PAGE, MAX_PAGE))
    reply = await client.list_all(RunServiceStub, "ListRuns", request, "runs", limit=limit)
    if as_json:
        return output.print_json(reply)
    heads = ("run", "state", "trials", "failed", "models")
    table = output.new_table(*heads, right=("trials", "failed"), no_wrap=("run",))
    for run in reply.runs:
        trials = f"{settled_trials(run):,}/{run.trials:,}"
        name = f"{run.spec.name}: " if run.spec.name else ""
        models = one_line(name + ", ".join(run.spec.models), MODELS_CHARACTERS)
        state = f"{state_name(run)}, {mark}" if (mark := parked_mark(run)) else state_name(run)
        output.add_row(table, run.id, state, trials, unscored_trials(run), models)
    output.print_table(table, empty="there is no run yet; `libra run create` starts one")
    if reply.next_page_token:
        output.print_note(f"these are the newest {limit:,} runs; --limit 0 lists all")
    return None
