"""`libra models`: the registered models, both those under test and those that judge or write attacks."""

from __future__ import annotations

import click

from libra.cli.commands.models.add import add
from libra.cli.commands.models.list import list_models
from libra.cli.commands.models.presets import presets
from libra.cli.commands.models.remove import remove
from libra.cli.commands.models.show import show
from libra.cli.commands.models.test_model import test_model
from libra.cli.commands.models.update import update


@click.group()
def models() -> None:
    """Register, test, list, show, change and remove models.

    A registered model can be evaluated, judge answers, or write attacks.
    """


for command in (list_models, show, presets, add, test_model, update, remove):
    models.add_command(command)
