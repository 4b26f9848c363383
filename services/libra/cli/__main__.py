"""The `libra` command with all its subcommands."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import click

from libra.cli.errors import ErrorHandlingGroup
from libra.cli.param_types import data_option

COMMANDS = {
    "up": "local_system:up",
    "status": "local_system:status",
    "logs": "local_system:logs",
    "down": "local_system:down",
    "tasks": "tasks:tasks",
    "models": "models:models",
    "attacks": "attacks:attacks",
    "judges": "judges:judges",
    "run": "run:run",
    "rejudge": "run.rejudge:rejudge",
    "board": "board:board",
    "compare": "compare:compare",
    "gate": "gate:gate",
    "capability": "capability:capability",
    "verdicts": "results.verdicts:verdicts",
    "labels": "labels:labels",
    "export": "results.export:export",
    "report": "results.report:report",
    "round": "rounds:rounds",
    "audit": "results.audit:audit",
    "arena": "arena:arena",
    "schedule": "schedules:schedule",
    "hooks": "hooks:hooks",
    "dead": "operations.dead_letters:dead",
    "backup": "operations.backup:backup",
    "restore": "operations.backup:restore",
    "retention": "operations.retention:retention",
    "token": "access.tokens:token",
    "audit-log": "access.audit_log:audit_log",
}
"""The module in libra.cli.commands and the object of each command, in the order in which a new user needs them.

A module is imported when its command is used: all of them together take 0.2 s more.
"""

ALIASES = {"judge": "judges"}
"""Other names of commands; no help text shows them."""


class RootGroup(ErrorHandlingGroup):
    """Imports a command when it is used, lists the commands in the order of COMMANDS, and accepts their aliases."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Return the command with this name or alias; None if there is none."""
        location = COMMANDS.get(ALIASES.get(cmd_name, cmd_name))
        if location is None:
            return None
        module, name = location.split(":")
        command: click.Command = getattr(import_module(f"libra.cli.commands.{module}"), name)
        return command

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's own signature
        """Return the names in the order of COMMANDS."""
        return list(COMMANDS)


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
    LIBRA_ATTACK_ADDRESS, LIBRA_GATEWAY_ADDRESS, LIBRA_JUDGE_ADDRESS, LIBRA_RANKING_ADDRESS and LIBRA_ARENA_ADDRESS.

    \b
    Exit codes:
      0    success
      1    the command worked, but its result is not good: trials without a
           score, a failed audit, a part that is down, NO-GO of a gate
      2    invalid input
      3    a part of Libra failed or cannot be reached, or a gate is INCONCLUSIVE
      130  Ctrl-C ended the command
    """  # noqa: D301 - click reads the \b
    context.obj = data


if __name__ == "__main__":
    main()
