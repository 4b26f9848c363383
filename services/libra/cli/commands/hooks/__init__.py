"""`libra hooks`: webhooks and their deliveries."""

from __future__ import annotations

import click

from libra.cli.commands.hooks.add import add
from libra.cli.commands.hooks.deliveries import deliveries, replay
from libra.cli.commands.hooks.hook import list_hooks, remove, rotate, show, test_hook


@click.group()
def hooks() -> None:
    """Send events to other programs: webhooks.

    Deliveries are signed by the Standard Webhooks specification. An event is repeated for a day until its receiver
    accepts it. Its body is a CloudEvent in JSON.
    """


for command in (add, list_hooks, show, test_hook, rotate, remove, deliveries, replay):
    hooks.add_command(command)
