"""Read the records of a data set as it was published: JSON Lines, JSON, CSV, or a prompt on every line."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn

from libra.dispatch.tasks.sample_records import BOM, FIELD, check_surrogates, lines
from libra.errors import Invalid

Record = dict[str, Any]
Numbered = Iterator[tuple[str, Record]]
"""Each record, and where it stands, as "line 3"."""

DELIMITERS = {".csv": ",", ".tsv": "\t"}
LARGEST_CELL = 2 * 1024 * 1024


def read(pieces: Iterable[bytes], *, file_name: str) -> Numbered:
    """Yield the records of a file that comes in pieces; raise Invalid naming file and line at the first fault.

    The name's ending tells CSV (.csv, .tsv) and plain text (.txt) from JSON. A record of a data set may hold NaN or null for
    what is not there; such a value is left out.
    """
    ending = file_name[file_name.rfind(".") :].lower() if "." in file_name else ""
    try:
        if ending in DELIMITERS:
            yield from of_csv(whole(pieces), DELIMITERS[ending])
        elif ending == ".txt":
            yield from (
                (f"line {number}", {"prompt": line})
                for number, line in enumerate(whole(pieces).splitlines(), 1)
                if line.strip()
            )
        else:
            yield from of_json(pieces)
    except UnicodeDecodeError as error:
        at_fault(file_name, f"it is not UTF-8: byte {error.start + 1}")
    except csv.Error as error:
        at_fault(file_name, f"it is not CSV: {error}")
    except Invalid as error:
        at_fault(file_name, error.message)


def at_fault(file_name: str, what: str) -> NoReturn:
    """Raise Invalid for the file."""
    raise Invalid(f"{file_name}: {what}", field=FIELD) from None


def of_json(pieces: Iterable[bytes]) -> Numbered:
    """Yield the records of JSON Lines, or of one JSON value: a list, or an object that holds lists."""
    numbered = ((number, line) for number, line in enumerate(lines(pieces), start=1) if line.strip())
    for number, raw in numbered:
        line = raw.removeprefix(BOM) if number == 1 else raw
        try:
            found = value(line)
        except json.JSONDecodeError as error:
            if number == 1 and line.lstrip()[:1] in (b"{", b"["):
                yield from listed(parsed(line + b"\n" + b"\n".join(rest for _, rest in numbered)))
                return
            raise Invalid(f"line {number}: it is not JSON: {error.msg} at character {error.pos + 1}") from None
        except Invalid as error:
            raise Invalid(f"line {number}: {error.message}") from None
        if not isinstance(found, dict) or of_columns(found) is not None:
            yield from listed(found)
        else:
            yield f"line {number}", found


def parsed(text: bytes) -> Any:
    """Return what a file of one JSON value holds; raise Invalid."""
    try:
        return value(text)
    except json.JSONDecodeError as error:
        raise Invalid(f"it is neither JSON Lines nor JSON: {error.msg} in line {error.lineno}") from None


def value(text: bytes) -> Any:
    """Return what a JSON text holds, without NaN and null in its objects; raise JSONDecodeError, or Invalid."""
    try:
        written = text.decode()
        found = json.loads(written, parse_constant=lambda _: None, object_pairs_hook=without_gaps)
    except RecursionError:
        raise Invalid("it is nested too deeply") from None
    except UnicodeDecodeError as error:
        raise Invalid(f"it is not UTF-8: byte {error.start + 1} is 0x{text[error.start]:02x}") from None
    except json.JSONDecodeError:
        raise
    except ValueError as error:  # an integer of thousands of digits
        raise Invalid(f"it cannot be read: {error}") from None
    if "\\u" in written:  # nothing else makes a lone surrogate
        check_surrogates(found)
    return found


def without_gaps(pairs: list[tuple[str, Any]]) -> Record:
    """Return an object without the keys that hold nothing."""
    return {name: held for name, held in pairs if held is not None}


def listed(found: Any) -> Numbered:
    """Yield the records of a list, of which a text is a prompt, or of an object that holds columns."""
    held = of_columns(found) if isinstance(found, dict) else found
    if not isinstance(held, list):
        raise Invalid("it holds no records: neither a list, nor an object with a list or with lists of one length")
    for number, one in enumerate(held, start=1):
        if not isinstance(one, (dict, str)):
            raise Invalid(f"record {number} is neither an object nor a text")
        yield f"record {number}", {"prompt": one} if isinstance(one, str) else one


def of_columns(found: Record) -> list[Any] | None:
    """Return the records of an object that holds a list for each column; None if it is a record itself.

    Lists that are empty do not count. A single list of objects is one of records.
    """
    if "messages" in found or not found or not all(isinstance(held, list) for held in found.values()):
        return None
    full = {name: held for name, held in found.items() if held}
    if len({len(held) for held in full.values()}) != 1:
        return None
    first: list[Any] = next(iter(full.values()))
    if len(full) == 1 and isinstance(first[0], dict):
        return first
    return [dict(zip(full, cells, strict=True)) for cells in zip(*full.values(), strict=True)]


def of_csv(text: str, delimiter: str) -> Numbered:
    """Yield the rows of a table whose first line names its columns; an empty cell is left out."""
    csv.field_size_limit(LARGEST_CELL)
    table = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    for number, row in enumerate(table, start=1):
        if None in row or None in row.values():
            raise Invalid(f"record {number} has another number of cells than the first line has columns")
        yield f"record {number}", {name: cell for name, cell in row.items() if cell}


def whole(pieces: Iterable[bytes]) -> str:
    """Return the text of a file."""
    return b"".join(pieces).removeprefix(BOM).decode()
