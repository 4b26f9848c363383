"""`libra judges`: the judge catalogue, calibration against human labels, drift, and the agreement of panels."""

from __future__ import annotations

import click

from libra.cli.commands.judges.agreement import agreement
from libra.cli.commands.judges.calibrate import calibrate
from libra.cli.commands.judges.drift import drift
from libra.cli.commands.judges.list import list_judges
from libra.cli.commands.judges.show import show


@click.group()
def judges() -> None:
    """List, show and calibrate judges.

    A judge turns an answer into a verdict.
    """


for command in (list_judges, show, calibrate, drift, agreement):
    judges.add_command(command)
