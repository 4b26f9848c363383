"""`libra run`: create, watch, list, show and cancel runs."""

from __future__ import annotations

import click

from libra.cli.commands.run.cancel import cancel
from libra.cli.commands.run.create import create
from libra.cli.commands.run.list import list_runs
from libra.cli.commands.run.show import show
from libra.cli.commands.run.watch import watch_run


@click.group()
def run() -> None:
    """Create, watch, list, show and cancel runs.

    A run evaluates models on tasks, under attacks.
    """


for command in (create, watch_run, list_runs, show, cancel):
    run.add_command(command)
