"""The `libra` command with all its subcommands."""

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
from libra.cli.errors import ErrorHandlingGroup
from libra.cli.param_types import data_option

COMMANDS = (
    *(local_system.up, local_system.status, local_system.logs, local_system.down),
    *(tasks, models, attacks, judges),
    *(run, rejudge, board, compare, capability, verdicts, audit, dead),
)
"""In the order in which a new user needs them; the help text keeps it."""

ALIASES = {"judge": "judges"}
"""Other names of commands; no help text shows them."""


class RootGroup(ErrorHandlingGroup):
    """Lists the commands in the order of COMMANDS, and accepts their aliases."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command with this name or alias."""
        return super().get_command(ctx, ALIASES.get(cmd_name, cmd_name))

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's own signature
        """Return the names in the order of COMMANDS."""
        return list(self.commands)


@click.group(cls=RootGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="libra")
@data_option
@click.pass_context
def main(context: click.Context, data: Path | None) -> None:
    """Libra evaluates language models for safety and capability, and ranks them.

    \b
    libra up                                              start Libra locally
    libra run create --model careful --task '*' --watch   evaluate a model
    libra board                                           show the leaderboard

    Commands call the services that `libra up` started. To call services elsewhere, set LIBRA_DISPATCH_ADDRESS,
    LIBRA_ATTACK_ADDRESS, LIBRA_GATEWAY_ADDRESS, LIBRA_JUDGE_ADDRESS and LIBRA_RANKING_ADDRESS.

    \b
    Exit codes:
      0    success
      1    the command worked, but its result is not good: trials without a
           score, a failed audit, a part that is down
      2    invalid input
      3    a part of Libra failed or cannot be reached
      130  Ctrl-C ended `libra up` or the watch of a run
    """  # noqa: D301 - click reads the \b
    context.obj = data


for command in COMMANDS:
    main.add_command(command)

if __name__ == "__main__":
    main()
