"""`libra verdicts`: the verdicts of a run, with the answers if `--full` is given."""

from __future__ import annotations

import click

from libra.cli.client import MAX_PAGE, ServiceClient, with_client
from libra.cli.errors import field_names
from libra.cli.render import output
from libra.cli.render.transcript import print_verdict
from libra.cli.render.verdicts import print_verdicts
from libra.cli.run_lookup import RUN_FIELDS, resolve_run_id, run_argument
from libra.core.outcome_names import OUTCOMES
from libra.v1.ranking_pb2 import ListVerdictsRequest, ListVerdictsResponse, VerdictView
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.v1.verdict_pb2 import Outcome

MAX_FULL_PAGE = 50
FIELD_NAMES = {**RUN_FIELDS, "model": "--model", "task": "--task", "attack": "--attack"}


@click.command()
@run_argument
@click.option("--model", default="", help="Only verdicts of this model.")
@click.option("--task", default="", metavar="NAME", help="Only verdicts of this task, a name or name@version.")
@click.option("--attack", default="", help="Only verdicts under this attack; none is the plain prompt.")
@click.option("--outcome", type=click.Choice(list(OUTCOMES)), help="Only verdicts with this outcome.")
@click.option("--full", is_flag=True, help="Also print the prompts and the answers.")
@click.option(
    "--limit", type=click.IntRange(0), default=50, show_default=True, help="Maximum number of verdicts; 0 for all."
)
@output.json_option
@with_client
async def verdicts(
    client: ServiceClient,
    run_id: str,
    model: str,
    task: str,
    attack: str,
    outcome: str | None,
    limit: int,
    *,
    full: bool,
    as_json: bool,
) -> None:
    """List the verdicts of a run, in the order of its trials.

    \b
    libra verdicts last --outcome failed
    libra verdicts RUN --task privacy_requests --full
    """  # noqa: D301 - click reads the \b
    max_page = MAX_FULL_PAGE if full else MAX_PAGE
    request = ListVerdictsRequest(
        run=await resolve_run_id(client, run_id),
        model=model,
        task=task,
        attack=attack,
        outcome=OUTCOMES[outcome] if outcome else Outcome.OUTCOME_UNSPECIFIED,
        page_size=min(limit or max_page, max_page),
        view=VerdictView.VERDICT_VIEW_FULL if full else VerdictView.VERDICT_VIEW_BASIC,
    )
    with field_names(FIELD_NAMES):
        reply: ListVerdictsResponse = await client.list_all(
            RankingServiceStub, "ListVerdicts", request, "verdicts", limit=limit
        )
    if as_json:
        output.print_json(reply)
    elif full and reply.verdicts:
        for verdict in reply.verdicts:
            print_verdict(verdict)
    else:
        print_verdicts(reply.verdicts)
    if reply.next_page_token and not as_json:
        output.print_note(f"these are the first {limit:,} verdicts; --limit 0 prints all")
