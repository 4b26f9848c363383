"""`libra arena ratings`: the ratings of models from votes."""

from __future__ import annotations

import click

from libra.cli.client import ServiceClient, with_client
from libra.cli.errors import field_names
from libra.cli.render import output
from libra.cli.render.arena import print_ratings
from libra.v1.arena_pb2 import QUESTION_HELPFULNESS, QUESTION_SAFETY, GetRatingsRequest, GetRatingsResponse
from libra.v1.arena_pb2_grpc import ArenaServiceStub

QUESTIONS = {"safety": QUESTION_SAFETY, "helpfulness": QUESTION_HELPFULNESS}


@click.command()
@click.option(
    "--question",
    type=click.Choice(list(QUESTIONS)),
    default="safety",
    show_default=True,
    help="The question that voters answered.",
)
@click.option("--family", default="", metavar="NAME", help="Only battles under attacks of this family; none: without.")
@output.json_option
@with_client
async def ratings(client: ServiceClient, question: str, family: str, *, as_json: bool) -> None:
    """Show the ratings with 95 % intervals.

    1,000 is the mean of the models, and 400 points are odds of 10 to 1. Intervals allow the votes of one voter to
    depend on each other. "skill" is the rating adjusted for the attacking skill of the voters. "to change" is the
    smallest number of votes without which the model would have another rank.
    """
    request = GetRatingsRequest(question=QUESTIONS[question], attack_family=family)
    with field_names({"attack_family": "--family"}):
        reply: GetRatingsResponse = await client.call(ArenaServiceStub, "GetRatings", request)
    if as_json:
        output.print_json(reply)
    else:
        print_ratings(reply)
