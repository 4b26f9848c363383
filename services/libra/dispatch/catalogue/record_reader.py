"""Read the records of a published data set: JSON Lines, JSON, CSV, Parquet, or text with one prompt per line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from libra.core.errors import Invalid
from libra.dispatch.tasks.file_forms import (
    BOM,
    DELIMITERS,
    MAX_LINE_BYTES,
    PARQUET,
    LocatedRecords,
    Record,
    extension_of,
    open_pieces,
    read_parquet,
    read_table,
    split_lines,
    table_lines,
)
from libra.dispatch.tasks.json_records import JsonText, check_surrogates, read_array
from libra.dispatch.tasks.sample_records import DATA_FIELD

MAX_DOCUMENT_BYTES = 16 * 1024 * 1024
"""The largest JSON object that holds all records: it is read whole, and takes about eight times as much memory."""


def read_records(pieces: Iterable[bytes], *, file_name: str) -> LocatedRecords:
    """Yield the records of a file that arrives in pieces; raise Invalid naming file and line at the first fault.

    The extension distinguishes CSV (.csv, .tsv) and plain text (.txt) from JSON. NaN and null in a record mean a
    missing value, which is omitted.
    """
    extension = extension_of(file_name)
    try:
        head, pieces = open_pieces(pieces)
        if head == PARQUET:
            for number, record in read_parquet(pieces):
                yield f"record {number}", record
        elif extension in DELIMITERS:
            for _, number, record in read_table(pieces, DELIMITERS[extension]):
                yield f"record {number}", record
        elif extension == ".txt":
            yield from read_prompts(pieces)
        else:
            yield from read_json(pieces)
    except UnicodeDecodeError as error:
        raise _invalid_file(file_name, f"it is not UTF-8: byte {error.start + 1}") from None
    except Invalid as error:
        raise _invalid_file(file_name, error.message) from None


def _invalid_file(file_name: str, fault: str) -> Invalid:
    return Invalid(f"{file_name}: {fault}", field=DATA_FIELD)


def read_prompts(pieces: Iterable[bytes]) -> LocatedRecords:
    """Yield a record for each line that is not blank."""
    for number, line in enumerate(table_lines(pieces), start=1):
        if line.strip():
            yield f"line {number}", {"prompt": line.rstrip("\r\n")}


def read_json(pieces: Iterable[bytes]) -> LocatedRecords:
    """Yield the records of JSON Lines, or of one JSON value: a list, or an object with lists.

    Only an object with lists is read whole, up to a limit; else, no more than one record is in memory.
    """
    start, pieces = peek_text(pieces)
    if start == b"[":
        yield from read_array(JsonText(pieces, DECODER), next_element)
        return
    lines = split_lines(pieces, max_bytes=MAX_LINE_BYTES)
    numbered = ((number, line) for number, line in enumerate(lines, start=1) if line.strip())
    for number, raw in numbered:
        line = raw.removeprefix(BOM) if number == 1 else raw
        try:
            value = parse_json(line)
        except json.JSONDecodeError as error:
            if number == 1 and line.lstrip()[:1] == b"{":
                yield from list_records(parse_document(join_lines(line, (rest for _, rest in numbered))))
                return
            raise Invalid(f"line {number}: it is not JSON: {error.msg} at character {error.pos + 1}") from None
        except Invalid as error:
            raise Invalid(f"line {number}: {error.message}") from None
        if not isinstance(value, dict) or records_of_columns(value) is not None:
            yield from list_records(value)
        else:
            yield f"line {number}", value


def peek_text(pieces: Iterable[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Return the first byte that is neither whitespace nor part of a byte order mark, and all pieces."""
    remaining, start = iter(pieces), bytearray()
    while not start.removeprefix(BOM).strip() and (piece := next(remaining, None)) is not None:
        start += piece
    return bytes(start.removeprefix(BOM).lstrip()[:1]), chain([bytes(start)], remaining)


def next_element(text: JsonText, where: str) -> Record:
    """Return the next value of a list, in which a text is a prompt; raise Invalid with its place for another value."""
    try:
        text.next_character()
        value = text.next_value()
    except Invalid as error:
        raise Invalid(f"{where}: {error.message}") from None
    return to_record(value, where)


def to_record(value: Any, where: str) -> Record:
    """Return an element of a list as a record; raise Invalid with its place if it is neither an object nor text."""
    if not isinstance(value, (dict, str)):
        raise Invalid(f"{where} is neither an object nor text")
    return {"prompt": value} if isinstance(value, str) else value


def join_lines(first: bytes, others: Iterable[bytes]) -> bytes:
    """Return the lines of a file as one; raise Invalid if they are longer than the limit."""
    joined = bytearray(first)
    for line in others:
        joined += b"\n" + line
        if len(joined) > MAX_DOCUMENT_BYTES:
            raise Invalid(
                f"it is one JSON object of more than {MAX_DOCUMENT_BYTES:,} bytes; save its records as JSON Lines"
            )
    return bytes(joined)


def parse_document(text: bytes) -> Any:
    """Return the value of a file that is one JSON value; raise Invalid if it is none."""
    try:
        return parse_json(text)
    except json.JSONDecodeError as error:
        raise Invalid(f"it is neither JSON Lines nor JSON: {error.msg} in line {error.lineno}") from None


def parse_json(data: bytes) -> Any:
    """Return the value of a JSON text, without NaN and null in its objects; raise JSONDecodeError or Invalid."""
    try:
        text = data.decode()
        value = DECODER.decode(text)
    except RecursionError:
        raise Invalid("it is nested too deeply") from None
    except UnicodeDecodeError as error:
        raise Invalid(f"it is not UTF-8: byte {error.start + 1} is 0x{data[error.start]:02x}") from None
    except json.JSONDecodeError:
        raise
    except ValueError as error:  # an integer of thousands of digits
        raise Invalid(f"it cannot be read: {error}") from None
    if "\\u" in text:  # only an escape can produce a lone surrogate
        check_surrogates(value)
    return value


def omit_missing(pairs: list[tuple[str, Any]]) -> Record:
    """Return an object without the keys that have no value."""
    return {name: value for name, value in pairs if value is not None}


DECODER = json.JSONDecoder(parse_constant=lambda _: None, object_pairs_hook=omit_missing)


def list_records(value: Any) -> LocatedRecords:
    """Yield the records of a list, in which a text is a prompt, or of an object with columns."""
    records = records_of_columns(value) if isinstance(value, dict) else value
    if not isinstance(records, list):
        raise Invalid("it has no records; use a list, an object with one list, or an object with lists of equal length")
    for number, record in enumerate(records, start=1):
        yield f"record {number}", to_record(record, f"record {number}")


def records_of_columns(value: Record) -> list[Any] | None:
    """Return the records of an object that has a list for each column; None if the object is itself a record.

    Empty lists are ignored. A single list of objects is a list of records.
    """
    if "messages" in value or not value or not all(isinstance(column, list) for column in value.values()):
        return None
    columns = {name: column for name, column in value.items() if column}
    if len({len(column) for column in columns.values()}) != 1:
        return None
    first: list[Any] = next(iter(columns.values()))
    if len(columns) == 1 and isinstance(first[0], dict):
        return first
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
