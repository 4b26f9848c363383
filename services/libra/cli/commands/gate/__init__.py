"""`libra gate`: decide whether a release keeps what a policy demands, and measure the gate's own false alarms."""

from __future__ import annotations

import click

from libra.cli.commands.gate.calibrate import calibrate
from libra.cli.commands.gate.check import check


class GateGroup(click.Group):
    """Runs `check` if the first argument is no command: `libra gate POLICY MODEL`."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command, and the arguments that remain for it."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = [check.name or "check", *args]
        return super().resolve_command(ctx, args)


@click.group(cls=GateGroup)
def gate() -> None:
    """Decide whether a model keeps what a policy demands.

    \b
    libra gate POLICY MODEL        the same as libra gate check POLICY MODEL
    libra gate calibrate POLICY    measure the false alarms of the gate
    """  # noqa: D301 - click reads the \b


for command in (check, calibrate):
    gate.add_command(command)
