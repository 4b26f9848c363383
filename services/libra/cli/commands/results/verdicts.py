"""`libra verdicts`: the verdicts of a run, with the answers if `--full` is given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from libra.cli.client import MAX_PAGE, ServiceClient, with_client
from libra.cli.commands.results.verdict_options import FIELD_NAMES, check_names, filter_options, to_request
from libra.cli.errors import field_names
from libra.cli.files.round_files import read_key
from libra.cli.param_types import EXISTING_FILE
from libra.cli.render import output
from libra.cli.render.transcript import print_verdict
from libra.cli.render.verdicts import print_verdicts
from libra.cli.run_lookup import resolve_run_id, run_argument
from libra.v1.ranking_pb2 import ListVerdictsResponse, VerdictView
from libra.v1.ranking_pb2_grpc import RankingServiceStub

MAX_FULL_PAGE = 50


@click.command()
@run_argument
@filter_options
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
    /,
    run_id: str,
    limit: int,
    key_file: Path | None,
    *,
    full: bool,
    as_json: bool,
    **filters: Any,
) -> None:
    """List the verdicts of a run, in the order of its trials.

    \b
    libra verdicts last --outcome failed
    libra verdicts last --response truncated
    libra verdicts last --judge harm --max-score 0.4 --text "step by step"
    libra verdicts RUN --task privacy_requests --full

    A verdict must fit all options. The text of a sealed sample is never found.
    """  # noqa: D301 - click reads the \b
    max_page = MAX_FULL_PAGE if full else MAX_PAGE
    request = to_request(await resolve_run_id(client, run_id), filters)
    request.page_size = min(limit or max_page, max_page)
    request.view = VerdictView.VERDICT_VIEW_FULL if full else VerdictView.VERDICT_VIEW_BASIC
    request.auditor_key = read_key(key_file)
    with field_names(FIELD_NAMES):
        reply: ListVerdictsResponse = await client.list_all(
            RankingServiceStub, "ListVerdicts", request, "verdicts", limit=limit
        )
        if not reply.verdicts:
            await check_names(client, request)
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
