"""Print: tables for people, JSON for scripts. Nothing else in this room knows how a table looks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import click
from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from libra.cli.render.sanitize import plain

F = TypeVar("F", bound=Callable[..., Any])


def json_option(command: F) -> F:
    """Give the command `--json`."""
    text = "Print the answer as JSON, as the service gave it, and nothing else."
    return click.option("--json", "as_json", is_flag=True, help=text)(command)


def console(*, err: bool = False) -> Console:
    """Return a console that takes every text as it is: no markup, no emoji, no colours of its own choice."""
    return Console(stderr=err, markup=False, emoji=False, highlight=False)


def emit_json(message: Message) -> None:
    """Print a message as JSON: the contract's field names, enumerations as names, fields at zero included."""
    click.echo(
        MessageToJson(
            message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True, ensure_ascii=False
        )
    )


def columns(
    *heads: str, right: Iterable[str] = (), whole: Iterable[str] = (), least: Mapping[str, int] | None = None
) -> Table:
    """Return an empty table with these heads; those in `right` are numbers, those in `whole` are never wrapped.

    `least` says how many characters wide a column is at least: tables under each other look like one.
    """
    widths = least or {}
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    for head in heads:
        table.add_column(
            head,
            justify="right" if head in right else "left",
            no_wrap=head in whole or head in right,
            overflow="fold",
            min_width=widths.get(head),
        )
    return table


def fits(rows: Sequence[Sequence[str]]) -> bool:
    """Tell whether rows of equally many cells, each on one line, are no wider than the terminal."""
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    return sum(widths) + len(widths) - 1 <= console().width


def add(table: Table, *cells: object, style: str = "") -> None:
    """Add a row; a cell is any text or number, shown without control characters."""
    table.add_row(*(cell if isinstance(cell, Text) else Text(plain(str(cell))) for cell in cells), style=style)


def show(table: Table, *, empty: str) -> None:
    """Print the table, or the sentence `empty` if it has no row."""
    if table.row_count:
        console().print(table)
    else:
        click.echo(empty)


def pairs(rows: Sequence[tuple[str, object]]) -> None:
    """Print names with their values, the values under each other; those that are empty are left out."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for name, value in rows:
        if str(value):
            add(table, name, value)
    console().print(table)


def note(sentence: str) -> None:
    """Say something beside the answer, on stderr."""
    click.echo(plain(sentence), err=True)


def interactive() -> bool:
    """Tell whether somebody watches stderr."""
    return sys.stderr.isatty()
