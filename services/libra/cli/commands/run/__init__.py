"""`libra run`: create, estimate, watch, list, show and control runs."""

from __future__ import annotations

import click

from libra.cli.commands.run.cancel import cancel
from libra.cli.commands.run.control import pause, resume, retry
from libra.cli.commands.run.create import create
from libra.cli.commands.run.estimate import estimate
from libra.cli.commands.run.list import list_runs
from libra.cli.commands.run.show import show
from libra.cli.commands.run.update import update
from libra.cli.commands.run.watch import watch_run


@click.group()
def run() -> None:
    """Create, estimate, watch, list, show and control runs.

    A run evaluates models on tasks, under attacks.
    """


for command in (create, estimate, watch_run, list_runs, show, pause, resume, update, retry, cancel):
    run.add_command(command)
