"""Options under headings in the help of a command."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

OTHER = "Other options"


class GroupedOption(click.Option):
    """An option with the heading that it is listed under."""

    def __init__(self, *names: Any, heading: str = OTHER, **attributes: Any) -> None:
        super().__init__(*names, **attributes)
        self.heading = heading


class GroupedCommand(click.Command):
    """Lists its options under their headings, in the order in which they are declared; the others at the end."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for option in self.get_params(ctx):
            record = option.get_help_record(ctx) if isinstance(option, click.Option) else None
            if record is not None:
                groups.setdefault(getattr(option, "heading", OTHER), []).append(record)
        groups[OTHER] = groups.pop(OTHER, [])
        for heading, records in groups.items():
            with formatter.section(heading):
                formatter.write_dl(records)


def under(heading: str, *options: tuple[str, dict[str, Any]]) -> Callable[[F], F]:
    """Add options under a heading: each is its names, separated by spaces, and its attributes."""

    def add_to(command: F) -> F:
        for names, attributes in reversed(options):
            command = click.option(*names.split(), cls=GroupedOption, heading=heading, **attributes)(command)
        return command

    return add_to
