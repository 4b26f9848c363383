"""Prints tables, paragraphs and notes for people, and JSON for scripts."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import click
from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from libra.cli.render.sanitize import escape_json, sanitize

F = TypeVar("F", bound=Callable[..., Any])

PARAGRAPH_CHARACTERS = 79
NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"


def json_option(command: F) -> F:
    """Add the option `--json` to the command."""
    return click.option("--json", "as_json", is_flag=True, help="Print only the service's reply, as JSON.")(command)


def console(*, err: bool = False) -> Console:
    """Return a console that prints every text literally: no markup, no emoji, no highlighting."""
    return Console(stderr=err, markup=False, emoji=False, highlight=False)


def print_json(message: Message) -> None:
    """Print a message as JSON: field names as in the proto file, enumerations by name, zeros included.

    Characters that could control the terminal are escaped.
    """
    click.echo(to_json(message))


def to_json(message: Message) -> str:
    """Return what `print_json` prints."""
    text = MessageToJson(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True, ensure_ascii=False
    )
    return escape_json(text)


def new_table(
    *heads: str,
    right: Iterable[str] = (),
    no_wrap: Iterable[str] = (),
    min_widths: Mapping[str, int] | None = None,
    compact: bool = False,
) -> Table:
    """Return an empty table with these column heads.

    Columns in `right` are aligned to the right and, like those in `no_wrap`, never wrapped. `min_widths`, in
    characters, keeps several tables aligned with each other. A `compact` table has one space between two columns,
    others have two.
    """
    widths = min_widths or {}
    padding = (0, 0, 0, 0) if compact else (0, 1, 0, 0)  # the box adds one space
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold", padding=padding)
    for head in heads:
        table.add_column(
            head,
            justify="right" if head in right else "left",
            no_wrap=head in no_wrap or head in right,
            overflow="fold",
            min_width=widths.get(head),
        )
    return table


def fits_terminal(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether rows with equally many cells fit the terminal without wrapping a cell."""
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    return sum(widths) + len(widths) - 1 <= console().width


def add_row(table: Table, *cells: object, style: str = "") -> None:
    """Add a row of texts and numbers, without control characters."""
    table.add_row(*(Text(sanitize(str(cell))) for cell in cells), style=style)


def print_table(table: Table, *, empty: str = "") -> None:
    """Print the table, or the sentence `empty` if it has no rows."""
    if table.row_count:
        console().print(table)
    else:
        click.echo(empty)


def print_pairs(pairs: Sequence[tuple[str, object]]) -> None:
    """Print names and values in two columns; pairs with an empty value are left out."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for name, value in pairs:
        if str(value):
            add_row(table, name, value)
    console().print(table)


def print_paragraphs(paragraphs: Iterable[str]) -> None:
    """Print each text as a paragraph of lines with at most 79 characters; an empty text is an empty line."""
    for text in paragraphs:
        unbreakable = sanitize(text).replace(" %", f"{NO_BREAK_SPACE}%")
        click.echo(textwrap.fill(unbreakable, PARAGRAPH_CHARACTERS).replace(NO_BREAK_SPACE, " "))


def print_note(text: str) -> None:
    """Print to stderr what is not part of the result."""
    click.echo(sanitize(text), err=True)


def stderr_is_terminal() -> bool:
    """Return whether stderr is a terminal."""
    return sys.stderr.isatty()
