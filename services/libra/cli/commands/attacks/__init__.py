"""`libra attacks`: the attack catalogue, trying an attack, and the report on the attacks of a run."""

from __future__ import annotations

import click

from libra.cli.commands.attacks.list import list_attacks
from libra.cli.commands.attacks.report import report
from libra.cli.commands.attacks.show import show
from libra.cli.commands.attacks.try_attack import try_attack


@click.group()
def attacks() -> None:
    """List, show, try and compare attacks on prompts.

    An attack rewrites a prompt so that a model is more likely to answer a harmful request.
    """


for command in (list_attacks, show, try_attack, report):
    attacks.add_command(command)
