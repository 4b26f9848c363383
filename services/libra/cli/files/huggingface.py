"""Read a dataset of Hugging Face, or a folder of files in one of its formats, as the JSONL of a task.

The library behind it is an extra, since it weighs more than all the rest: `pip install "libra[huggingface]"`.
"""

from __future__ import annotations

import datetime as dt
import decimal
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

from libra.errors import Invalid, LibraError, nearest

SHOWN_CHARACTERS = 300
ON_THE_HUB = re.compile(r"(?P<name>[\w.-]+/[\w.-]+)/(?P<folder>[\w./-]+)")
"""A dataset with a folder of it."""


class ExtraMissing(LibraError):
    """The library `datasets` is not installed: pip install "libra[huggingface]"."""


@dataclass(frozen=True, slots=True)
class Source:
    """Which rows to read."""

    name: str
    """As on the hub ("owner/name", or "owner/name/folder" for the files of one folder of it), or the path of a folder."""

    split: str = "test"
    config: str = ""
    revision: str = ""

    limit: int = 0
    """Rows from the beginning; 0 for all."""

    def parts(self) -> tuple[str, str]:
        """Return the dataset, and the folder of it whose files are meant; "" for all of them."""
        found = ON_THE_HUB.fullmatch(self.name)
        return (found["name"], found["folder"]) if found and not Path(self.name).exists() else (self.name, "")


@dataclass(frozen=True, slots=True)
class Columns:
    """Where in a row things are. Every other column becomes a field of the sample."""

    messages: str = "messages"
    """A list of turns, each with role and content; it is preferred to a prompt."""

    prompt: str = "prompt"
    """The user's turn, as text."""

    system: str = ""
    """The system message, as text; "" for none."""

    id: str = "id"
    """The sample's id; a sample without one is known by its place."""

    fields: frozenset[str] | None = None
    """The only other columns to keep; None for all."""


def lines(source: Source, columns: Columns) -> Iterator[bytes]:
    """Yield one line of JSONL per row, as it is read.

    Raises:
        ExtraMissing: the library is not installed.
        Invalid: there is no such dataset or column, or a column holds what a record cannot.
    """
    for number, row in enumerate(rows(source), start=1):
        try:
            yield line(record(row, columns))
        except Invalid as error:
            raise Invalid(f"row {number} of {source.name}: {error.message}", field=error.field) from None


def raw_lines(source: Source) -> Iterator[bytes]:
    """Yield each row as it is, as a line of JSONL; raise as `lines` does."""
    for number, row in enumerate(rows(source), start=1):
        try:
            yield line(row)
        except Invalid as error:
            raise Invalid(f"row {number} of {source.name}: {error.message}", field=error.field) from None


def rows(source: Source) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of a dataset one by one, without first bringing all of it here; of splits with "+" between, of each."""
    try:
        import datasets  # noqa: PLC0415 - an extra, and a second of work
    except ImportError:
        raise ExtraMissing(
            'reading datasets of Hugging Face needs an extra: pip install "libra[huggingface]"'
        ) from None
    name, folder = source.parts()
    try:
        parts: list[Iterable[Mapping[str, Any]]] = [
            datasets.load_dataset(
                name,
                source.config or None,
                data_dir=folder or None,
                split=split,
                revision=source.revision or None,
                streaming=True,
            )
            for split in source.split.split("+")
        ]
        yield from islice(chain.from_iterable(parts), source.limit or None)
    except (ValueError, OSError) as error:  # the library's own errors are made of these
        raise Invalid(f"the dataset {source.name} cannot be read: {said(error)}", field="dataset") from None


def record(row: Mapping[str, Any], columns: Columns) -> dict[str, Any]:
    """Return the row as a record; raise Invalid if it has neither messages nor a prompt."""
    if row.get(columns.messages) is not None:
        messages = [without_gaps(turn) for turn in row[columns.messages]]
    elif isinstance(row.get(columns.prompt), str):
        messages = [{"role": "user", "content": row[columns.prompt]}]
    else:
        wanted = f"neither the messages {columns.messages!r} nor the prompt {columns.prompt!r}"
        raise Invalid(f"it has {wanted}; its columns are {', '.join(row)}", field="columns")
    if columns.system:
        messages.insert(0, {"role": "system", "content": text(row, columns.system)})
    used = {columns.messages, columns.prompt, columns.system, columns.id}
    kept = {
        name: value
        for name, value in row.items()
        if name not in used and (columns.fields is None or name in columns.fields)
    }
    return kept | {"messages": messages} | ({"id": row[columns.id]} if columns.id in row else {})


def without_gaps(turn: Any) -> Any:
    """Return the turn without the keys that hold nothing: a table gives every turn the keys of all."""
    return {key: value for key, value in turn.items() if value is not None} if isinstance(turn, Mapping) else turn


def text(row: Mapping[str, Any], column: str) -> str:
    """Return the text in a column; nothing if the cell is empty."""
    if column not in row:
        near = nearest(column, row) or list(row)
        raise Invalid(f"there is no column {column!r}; did you mean {' or '.join(near)}?", field="columns")
    if not isinstance(row[column], str | None):
        raise Invalid(f"the column {column!r} holds no text", field="columns")
    return row[column] or ""


def line(made: Mapping[str, Any]) -> bytes:
    """Return the record as a line of JSON; raise Invalid naming a field that cannot be written."""
    try:
        return json.dumps(made, default=written).encode() + b"\n"
    except TypeError:
        at_fault = next(name for name, value in made.items() if not writable(value))
    kind = type(made[at_fault]).__name__
    raise Invalid(f"the column {at_fault!r} holds {kind}, which a record cannot; leave it out", field="columns")


def writable(value: Any) -> bool:
    """Tell whether the value can stand in a record."""
    try:
        json.dumps(value, default=written)
    except TypeError:
        return False
    return True


def written(value: Any) -> str:
    """Return a value that has a usual text as that; TypeError for any other."""
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return str(value)
    raise TypeError


def said(error: Exception) -> str:
    """Return the beginning of an error's message, on one line."""
    return " ".join(str(error).split())[:SHOWN_CHARACTERS] or type(error).__name__
