"""The `libra` command, put together."""

from __future__ import annotations

from pathlib import Path

import click

from libra.cli.commands import local_system
from libra.cli.commands.attacks import attacks
from libra.cli.commands.audit import audit
from libra.cli.commands.board import board
from libra.cli.commands.capability import capability
from libra.cli.commands.compare import compare
from libra.cli.commands.dead_letters import dead
from libra.cli.commands.judges import judges
from libra.cli.commands.models import models
from libra.cli.commands.rejudge import rejudge
from libra.cli.commands.run import run
from libra.cli.commands.tasks import tasks
from libra.cli.commands.verdicts import verdicts
from libra.cli.errors import Root

COMMANDS = (
    *(local_system.up, local_system.status, local_system.logs, local_system.down),
    *(tasks, models, attacks, judges),
    *(run, rejudge, board, compare, capability, verdicts, audit, dead),
)


ALIASES = {"judge": "judges"}
"""Other words for a command, which no list shows."""


class InOrder(Root):
    """Lists the commands as they are given here: in the order in which one needs them."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of this name, or of the name that it stands for."""
        return super().get_command(ctx, ALIASES.get(cmd_name, cmd_name))

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's own signature
        """Return the names in the order of COMMANDS."""
        return list(self.commands)


@click.group(cls=InOrder, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="libra")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="The data folder of the system on this machine; .libra unless LIBRA_DATA says otherwise.",
)
@click.pass_context
def main(context: click.Context, data: Path | None) -> None:
    """Libra evaluates language models for safety and capability at once.

    \b
    libra up                                              start the system on this machine
    libra run create --model careful --task '*' --watch   evaluate a model
    libra board                                           see where it stands

    The services are those of `libra up`, unless LIBRA_DISPATCH_ADDRESS and its like name others.

    Exits 0 if all is done, 1 if it was done but not all went well, 2 if it was asked wrongly, 3 if a part of Libra does not
    answer.
    """  # noqa: D301 - click reads the \b
    context.obj = data


for command in COMMANDS:
    main.add_command(command)

if __name__ == "__main__":
    main()
