"""`libra judges show`: the options, the labels and the calibrations of a judge."""

from __future__ import annotations

import click

from libra.cli.client import ServiceClient, with_client
from libra.cli.commands.judges.list import find_judge
from libra.cli.render import output
from libra.cli.render.judges.calibration import print_calibrations
from libra.v1.judge_pb2 import JudgeOption, ListCalibrationsRequest
from libra.v1.judge_pb2_grpc import JudgeServiceStub


@click.command()
@click.argument("name", metavar="JUDGE")
@output.json_option
@with_client
async def show(client: ServiceClient, name: str, *, as_json: bool) -> None:
    """Show a judge: its options, its labels and its calibrations."""
    judge = await find_judge(client, name)
    if as_json:
        return output.print_json(judge)
    output.print_pairs(
        [
            ("judge", judge.name),
            ("version", judge.version),
            ("description", judge.description),
            ("uses a model", "yes" if judge.asks_model else "no"),
            ("labels", ", ".join(judge.labels)),
            *((f"option {option.name}", option_text(option)) for option in judge.options),
        ]
    )
    reply = await client.call(JudgeServiceStub, "ListCalibrations", ListCalibrationsRequest(judge=name))
    click.echo()
    return print_calibrations(reply.calibrations)


def option_text(option: JudgeOption) -> str:
    """Return what an option does, whether it is required, and its values."""
    values = f" One of: {', '.join(option.values)}." if option.values else ""
    return f"{'Required. ' if option.required else ''}{option.description}{values}"
