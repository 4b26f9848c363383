"""`libra tasks`: list, show, import and check tasks."""

from __future__ import annotations

import click

from libra.cli.commands.tasks.constants import constants
from libra.cli.commands.tasks.import_task import import_task
from libra.cli.commands.tasks.list import list_tasks
from libra.cli.commands.tasks.show import show


@click.group()
def tasks() -> None:
    """List, show, import and check tasks.

    A task is a set of samples with a category and a judge.
    """


for command in (list_tasks, show, import_task, constants):
    tasks.add_command(command)
