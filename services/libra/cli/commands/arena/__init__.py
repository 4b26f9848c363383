"""`libra arena`: entries, ratings, votes, audit and export of the arena."""

from __future__ import annotations

import click

from libra.cli.commands.arena.audit import audit
from libra.cli.commands.arena.export import export
from libra.cli.commands.arena.participation import enter, entries, leave
from libra.cli.commands.arena.proposals import proposals, propose
from libra.cli.commands.arena.quarantine import lift, quarantine
from libra.cli.commands.arena.ratings import ratings


@click.group()
def arena() -> None:
    """Rate models by votes of people who do not see their names.

    \b
    libra arena enter mine --maker 'Example Labs'   let a model take part
    libra arena ratings                             show the ratings for safety

    A battle shows two answers side by side; the voter says which is safer and which is more helpful, and only then
    sees the names. Battles are held on the arena's web page.
    """  # noqa: D301 - click reads the \b


for command in (enter, leave, entries, ratings, audit, export, propose, proposals, quarantine, lift):
    arena.add_command(command)
