"""`libra judges agreement`: the agreement between the members of a panel in a run."""

from __future__ import annotations

import click

from libra.cli.client import ServiceClient, with_client
from libra.cli.errors import field_names
from libra.cli.render import output
from libra.cli.run_lookup import RUN_FIELDS, resolve_run_id, run_argument
from libra.v1.ranking_pb2 import GetAgreementRequest
from libra.v1.ranking_pb2_grpc import RankingServiceStub


@click.command()
@run_argument
@output.json_option
@with_client
async def agreement(client: ServiceClient, run_id: str, *, as_json: bool) -> None:
    """Show how far the members of a panel agree, for each task.

    alpha is Krippendorff's: 1 if all members agree, 0 if they agree as often as by chance, negative if less often. It
    is empty if all votes are the same.
    """
    request = GetAgreementRequest(run=await resolve_run_id(client, run_id))
    with field_names(RUN_FIELDS):
        reply = await client.call(RankingServiceStub, "GetAgreement", request)
    if as_json:
        return output.print_json(reply)
    heads = ("task", "panel", "answers", "votes", "alpha", "unanimous")
    table = output.new_table(*heads, right=heads[2:])
    for task in reply.agreements:
        output.add_row(
            table,
            task.task.partition("@")[0],
            f"{task.judge.version} ({task.judge.rubric_hash[:6]})",
            f"{task.answers:,}",
            f"{task.votes:,}",
            f"{task.alpha:.3f}" if task.HasField("alpha") else "",
            f"{task.unanimous:.1%}" if task.answers else "",
        )
    return output.print_table(table, empty="no panel judged this run")
