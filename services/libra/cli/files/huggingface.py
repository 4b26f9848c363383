"""Reads a Hugging Face data set, or a folder of files in its formats, as JSON Lines for a task import.

The library `datasets` is an extra because it is larger than all other packages together: `pip install
"libra[huggingface]"`.
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

from libra.core.errors import ExtraNotInstalled, Invalid, nearest

MAX_MESSAGE_CHARACTERS = 300
NAME_WITH_FOLDER = re.compile(r"(?P<name>[\w.-]+/[\w.-]+)/(?P<folder>[\w./-]+)")
"""A data set on the hub with one of its folders."""


@dataclass(frozen=True, slots=True)
class DatasetSource:
    """The rows to read."""

    name: str
    """A data set on the hub ("owner/name"), one of its folders ("owner/name/folder"), or the path of a local folder."""

    split: str = "test"
    """Several splits are joined by "+"."""

    config: str = ""
    revision: str = ""

    limit: int = 0
    """The number of rows, from the first; 0 for all."""

    def name_and_folder(self) -> tuple[str, str]:
        """Return the data set, and the folder in it; "" for no folder."""
        found = NAME_WITH_FOLDER.fullmatch(self.name)
        return (found["name"], found["folder"]) if found and not Path(self.name).exists() else (self.name, "")


@dataclass(frozen=True, slots=True)
class ColumnNames:
    """The columns of a row that have a meaning. Every other column becomes a field of the sample."""

    messages: str = "messages"
    """A list of messages, each with role and content; it takes precedence over a prompt."""

    prompt: str = "prompt"
    """The user's message, as text."""

    system: str = ""
    """The system message, as text; "" for none."""

    id: str = "id"
    """The sample's id; a sample without an id is numbered."""

    fields: frozenset[str] | None = None
    """The other columns to keep; None for all."""


def json_lines(source: DatasetSource, columns: ColumnNames | None) -> Iterator[bytes]:
    """Yield each row as one line of JSON: as a record of a task, or unchanged without `columns`.

    Raises:
        ExtraNotInstalled: the library is not installed.
        Invalid: there is no such data set or column, or a value cannot be written as JSON.
    """
    for number, row in enumerate(_rows(source), start=1):
        try:
            yield json_line(row if columns is None else to_record(row, columns))
        except Invalid as error:
            raise Invalid(f"row {number} of {source.name}: {error.message}", field=error.field) from None


def _rows(source: DatasetSource) -> Iterator[Mapping[str, Any]]:
    """Yield the rows one by one, without downloading the whole data set first."""
    try:
        import datasets  # noqa: PLC0415 - an extra, and its import takes a second
    except ImportError:
        raise ExtraNotInstalled(
            'reading data sets of Hugging Face needs an extra: pip install "libra[huggingface]"'
        ) from None
    name, folder = source.name_and_folder()
    try:
        splits: list[Iterable[Mapping[str, Any]]] = [
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
        yield from islice(chain.from_iterable(splits), source.limit or None)
    except (ValueError, OSError) as error:  # the base classes of the library's own errors
        raise Invalid(f"the data set {source.name} cannot be read: {_short_message(error)}", field="dataset") from None


def to_record(row: Mapping[str, Any], columns: ColumnNames) -> dict[str, Any]:
    """Return the row as a record of a task; raise Invalid if it has neither messages nor a prompt."""
    if row.get(columns.messages) is not None:
        messages = [_without_nulls(message) for message in row[columns.messages]]
    elif isinstance(row.get(columns.prompt), str):
        messages = [{"role": "user", "content": row[columns.prompt]}]
    else:
        wanted = f"neither messages in the column {columns.messages!r} nor a prompt in the column {columns.prompt!r}"
        raise Invalid(f"the row has {wanted}; its columns are {', '.join(row)}", field="columns")
    if columns.system:
        messages.insert(0, {"role": "system", "content": _text(row, columns.system)})
    used = {columns.messages, columns.prompt, columns.system, columns.id}
    fields = {
        name: value
        for name, value in row.items()
        if name not in used and (columns.fields is None or name in columns.fields)
    }
    return fields | {"messages": messages} | ({"id": row[columns.id]} if columns.id in row else {})


def json_line(record: Mapping[str, Any]) -> bytes:
    """Return the record as a line of JSON; raise Invalid with the column that cannot be written."""
    try:
        return json.dumps(record, default=_to_text).encode() + b"\n"
    except TypeError:
        column = next(name for name, value in record.items() if not _is_serializable(value))
    type_name = type(record[column]).__name__
    raise Invalid(f"the column {column!r} holds {type_name}, which JSON cannot hold; leave it out", field="columns")


def _without_nulls(message: Any) -> Any:
    """Return the message without the keys that are null: in a table, every message has the keys of all messages."""
    if not isinstance(message, Mapping):
        return message
    return {key: value for key, value in message.items() if value is not None}


def _text(row: Mapping[str, Any], column: str) -> str:
    """Return the text in a column; "" for an empty cell."""
    if column not in row:
        near = nearest(column, row) or list(row)
        raise Invalid(f"there is no column {column!r}; did you mean {' or '.join(near)}?", field="columns")
    if not isinstance(row[column], str | None):
        raise Invalid(f"the column {column!r} holds no text", field="columns")
    return row[column] or ""


def _is_serializable(value: Any) -> bool:
    try:
        json.dumps(value, default=_to_text)
    except TypeError:
        return False
    return True


def _to_text(value: Any) -> str:
    """Return a date, time or decimal number as text; raise TypeError for any other value."""
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return str(value)
    raise TypeError


def _short_message(error: Exception) -> str:
    """Return the beginning of an error's message, on one line."""
    return " ".join(str(error).split())[:MAX_MESSAGE_CHARACTERS] or type(error).__name__
