"""`libra judges`: the ways of turning an answer into a verdict."""

from __future__ import annotations

import click

from libra.cli.client import Client, speaks
from libra.cli.commands.agreement import agreement
from libra.cli.commands.calibration import calibrate, judge_named, print_kept
from libra.cli.render import output
from libra.v1.judge_pb2 import JudgeOption, ListCalibrationsRequest, ListJudgesRequest
from libra.v1.judge_pb2_grpc import JudgeServiceStub


@click.group()
def judges() -> None:
    """Judges: ways of turning an answer into a verdict."""


judges.add_command(calibrate)
judges.add_command(agreement)


@judges.command("list")
@output.json_option
@speaks
async def list_judges(client: Client, *, as_json: bool) -> None:
    """List the judges, in order of name."""
    answer = await client.call(JudgeServiceStub, "ListJudges", ListJudgesRequest())
    if as_json:
        return output.emit_json(answer)
    table = output.columns("judge", "version", "asks a model", "what it decides", whole=("judge", "version"))
    for judge in answer.judges:
        output.add(table, judge.name, judge.version, "yes" if judge.asks_model else "no", judge.description)
    return output.show(table, empty="the catalogue is empty")


@judges.command()
@click.argument("name")
@output.json_option
@speaks
async def show(client: Client, name: str, *, as_json: bool) -> None:
    """Show one judge: what it can be told on a task's card, the labels it gives, and how far it agrees with people."""
    found = await judge_named(client, name)
    if as_json:
        return output.emit_json(found)
    output.pairs(
        [
            ("judge", found.name),
            ("version", found.version),
            ("what it decides", found.description),
            ("asks a model", "yes" if found.asks_model else "no"),
            ("labels", ", ".join(found.labels)),
            *((f"option {option.name}", described(option)) for option in found.options),
        ]
    )
    kept = await client.call(JudgeServiceStub, "ListCalibrations", ListCalibrationsRequest(judge=name))
    click.echo()
    return print_kept(kept.calibrations)


def described(option: JudgeOption) -> str:
    """Return what an option does, whether it must be there, and its values."""
    values = f" One of: {', '.join(option.values)}." if option.values else ""
    return f"{'Required. ' if option.required else ''}{option.description}{values}"
