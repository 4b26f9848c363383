"""`libra judges list`: the judges in the catalogue."""

from __future__ import annotations

import click

from libra.cli.client import ServiceClient, with_client
from libra.cli.render import output
from libra.core.errors import NotFound
from libra.v1.judge_pb2 import Judge, ListJudgesRequest, ListJudgesResponse
from libra.v1.judge_pb2_grpc import JudgeServiceStub


@click.command("list")
@output.json_option
@with_client
async def list_judges(client: ServiceClient, *, as_json: bool) -> None:
    """List the judges by name."""
    reply = await load_judges(client)
    if as_json:
        return output.print_json(reply)
    table = output.new_table("judge", "version", "uses a model", "description", no_wrap=("judge", "version"))
    for judge in reply.judges:
        output.add_row(table, judge.name, judge.version, "yes" if judge.asks_model else "no", judge.description)
    return output.print_table(table, empty="the catalogue is empty")


async def load_judges(client: ServiceClient) -> ListJudgesResponse:
    """Return every judge of the catalogue, by name."""
    reply: ListJudgesResponse = await client.call(JudgeServiceStub, "ListJudges", ListJudgesRequest())
    return reply


async def find_judge(client: ServiceClient, name: str) -> Judge:
    """Return a judge of the catalogue; raise NotFound with the nearest names."""
    judges = {judge.name: judge for judge in (await load_judges(client)).judges}
    if name not in judges:
        raise NotFound.named("judge", name, list(judges), field="JUDGE")
    return judges[name]
