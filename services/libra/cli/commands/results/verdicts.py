"""`libra verdicts`: the verdicts of a run, with the answers if `--full` is given."""

from __future__ import annotations

from pathlib import Path

import click

from libra.cli.client import MAX_PAGE, ServiceClient, with_client
from libra.cli.errors import field_names
from libra.cli.files.round_files import read_key
from libra.cli.param_types import EXISTING_FILE
from libra.cli.render import output
from libra.cli.render.transcript import print_verdict
from libra.cli.render.verdicts import print_verdicts
from libra.cli.run_lookup import RUN_FIELDS, resolve_run_id, run_argument
from libra.core.outcome_names import OUTCOMES
from libra.core.response_names import RESPONSES
from libra.v1.completion_pb2 import ResponseClass
from libra.v1.ranking_pb2 import ListVerdictsRequest, ListVerdictsResponse, VerdictView
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.v1.verdict_pb2 import Outcome

MAX_FULL_PAGE = 50
FIELD_NAMES = {
    **RUN_FIELDS,
    "model": "--model",
    "task": "--task",
    "attack": "--attack",
    "auditor_key": "--auditor-key-file",
}


@click.command()
@run_argument
@click.option("--model", default="", help="Only verdicts of this model.")
@click.option("--task", default="", metavar="NAME", help="Only verdicts of this task, a name or name@version.")
@click.option("--attack", default="", help="Only verdicts under this attack; none is the plain prompt.")
@click.option("--outcome", type=click.Choice(list(OUTCOMES)), help="Only verdicts with this outcome.")
@click.option(
    "--response",
    type=click.Choice(list(RESPONSES)),
    metavar="CLASS",
    help=f"Only verdicts on this class of response: {', '.join(RESPONSES)}.",
)
@click.option("--full", is_flag=True, help="Also print the prompts and the answers.")
@click.option(
    "--limit", type=click.IntRange(0), default=50, show_default=True, help="Maximum number of verdicts; 0 for all."
)
@click.option(
    "--auditor-key-file",
    "key_file",
    type=EXISTING_FILE,
    help="The key of the run's round, to see sealed samples; each look is recorded.",
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
    response: str | None,
    limit: int,
    key_file: Path | None,
    *,
    full: bool,
    as_json: bool,
) -> None:
    """List the verdicts of a run, in the order of its trials.

    \b
    libra verdicts last --outcome failed
    libra verdicts last --response truncated
    libra verdicts RUN --task privacy_requests --full
    """  # noqa: D301 - click reads the \b
    max_page = MAX_FULL_PAGE if full else MAX_PAGE
    request = ListVerdictsRequest(
        run=await resolve_run_id(client, run_id),
        model=model,
        task=task,
        attack=attack,
        outcome=OUTCOMES[outcome] if outcome else Outcome.OUTCOME_UNSPECIFIED,
        response=RESPONSES[response] if response else ResponseClass.RESPONSE_CLASS_UNSPECIFIED,
        page_size=min(limit or max_page, max_page),
        view=VerdictView.VERDICT_VIEW_FULL if full else VerdictView.VERDICT_VIEW_BASIC,
        auditor_key=read_key(key_file),
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
    if not as_json and any(verdict.sealed for verdict in reply.verdicts):
        output.print_note("samples of an open round are sealed: their text, answers and reasons are withheld")
    if reply.next_page_token and not as_json:
        output.print_note(f"these are the first {limit:,} verdicts; --limit 0 prints all")
