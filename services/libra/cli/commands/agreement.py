"""`libra judges agreement`: how far the members of a panel agree in a run."""

from __future__ import annotations

import click

from libra.cli.client import Client, speaks
from libra.cli.errors import in_words
from libra.cli.render import output
from libra.cli.run_lookup import ID_WORDS, find_id
from libra.v1.ranking_pb2 import GetAgreementRequest
from libra.v1.ranking_pb2_grpc import RankingServiceStub


@click.command()
@click.argument("run_id", metavar="RUN")
@output.json_option
@speaks
async def agreement(client: Client, run_id: str, *, as_json: bool) -> None:
    """Show how far the members of the run's panels agree, task by task.

    Alpha is Krippendorff's: 1 if all agree, 0 if no more than by chance, and below if less. It cannot be told where all votes
    are the same. RUN is a run's id, or `last` for the newest.
    """
    request = GetAgreementRequest(run=await find_id(client, run_id))
    with in_words(lambda field: ID_WORDS.get(field, field)):
        answer = await client.call(RankingServiceStub, "GetAgreement", request)
    if as_json:
        return output.emit_json(answer)
    heads = ("task", "panel", "answers", "votes", "alpha", "unanimous")
    table = output.columns(*heads, right=heads[2:])
    for each in answer.agreements:
        output.add(
            table,
            each.task.partition("@")[0],
            f"{each.judge.version} ({each.judge.rubric_hash[:6]})",
            f"{each.answers:,}",
            f"{each.votes:,}",
            f"{each.alpha:.3f}" if each.HasField("alpha") else "",
            f"{each.unanimous:.1%}" if each.answers else "",
        )
    return output.show(table, empty="no panel has judged in this run")
