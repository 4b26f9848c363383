"""`libra schedule`: create, show, pause, trigger and delete schedules."""

from __future__ import annotations

import click

from libra.cli.commands.schedules.control import delete, pause, resume
from libra.cli.commands.schedules.create import create
from libra.cli.commands.schedules.firings import firings
from libra.cli.commands.schedules.list import list_schedules
from libra.cli.commands.schedules.show import show
from libra.cli.commands.schedules.trigger import trigger


@click.group()
def schedule() -> None:
    """Create runs at times and at events.

    An event is a new model, or another program that triggers the schedule. A firing is one time or event at which a
    schedule was due; it creates at most one run.
    """


for command in (create, list_schedules, show, firings, trigger, pause, resume, delete):
    schedule.add_command(command)
