"""Read JSON records one at a time: JSON Lines, an array, or objects one after another over any number of lines."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, NoReturn

from libra.core.errors import Invalid
from libra.dispatch.tasks.file_forms import BOM, MAX_LINE_BYTES, LocatedRecords, Record, decode_line, split_lines

MAX_SHOWN_CHARACTERS = 60
MAX_VALUE_CHARACTERS = 16 * 1024 * 1024
WHITESPACE = re.compile(r"[ \t\r\n]*")


def read_json(pieces: Iterable[bytes]) -> LocatedRecords:
    """Yield each record with its place; raise Invalid that begins with the line at fault.

    The first character that is not whitespace, and whether the first line is one whole record, tell the forms apart.
    """
    remaining = iter(pieces)
    start = bytearray()
    while not start.removeprefix(BOM).strip() and (piece := next(remaining, None)) is not None:
        start += piece
    whole = chain([bytes(start)], remaining)
    if start.removeprefix(BOM).lstrip()[:1] == b"[":
        yield from read_array(JsonText(whole))
    else:
        yield from read_lines(split_lines(whole, max_bytes=MAX_LINE_BYTES))


def read_lines(lines: Iterator[bytes]) -> LocatedRecords:
    """Yield the records of JSON Lines or, if the first line is not exactly one value, of values one after another."""
    blank = 0
    is_first = True
    for number, raw in enumerate(lines, start=1):
        line = raw.removeprefix(BOM) if number == 1 else raw
        if not line.strip():
            blank = blank or number
            continue
        if is_first and is_part_of_sequence(line):
            rest = chain([b"\n" * (number - 1) + line + b"\n"], (other + b"\n" for other in lines))
            yield from read_sequence(JsonText(rest))
            return
        is_first = False
        if blank:
            raise Invalid(f"line {blank} is blank, but records follow; delete the line")
        try:
            record = parse_object(line)
        except Invalid as error:
            raise Invalid(f"line {number}: {error.message}") from None
        yield f"line {number}", record


def is_part_of_sequence(line: bytes) -> bool:
    """Return whether a first line is the beginning of an object, or an object that another one follows."""
    text = line.decode(errors="replace")
    if not text.lstrip().startswith("{"):
        return False
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return error.pos >= len(text.rstrip()) or (error.msg == "Extra data" and text[error.pos] == "{")
    except (RecursionError, ValueError):
        return False
    return False


class JsonText:
    """Decodes JSON values from text that arrives in pieces; holds little more than one value."""

    def __init__(self, pieces: Iterable[bytes], decoder: json.JSONDecoder | None = None) -> None:
        """`decoder` decodes the values; without it, JSON is read strictly."""
        self._texts = decode_pieces(pieces)
        self._decoder = decoder or DECODER
        self._text = ""
        self._start = 0
        self.line = 1
        """The line of the next character."""

    def next_character(self) -> str:
        """Return the next character that is not whitespace, without taking it; "" at the end."""
        while True:
            match = WHITESPACE.match(self._text, self._start)
            self._take(match.end() if match else self._start)
            if self._start < len(self._text):
                return self._text[self._start]
            if not self._fill():
                return ""

    def skip(self) -> None:
        """Take one character."""
        self._take(self._start + 1)

    def next_value(self) -> Any:
        """Return the next JSON value; raise Invalid if there is none."""
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._start)
            except json.JSONDecodeError as error:
                if len(self._text) - self._start <= MAX_VALUE_CHARACTERS and self._fill():
                    continue
                lines = self._text.count("\n", self._start, error.pos)
                raise Invalid(f"it is not JSON: {error.msg} in line {self.line + lines}") from None
            except RecursionError:
                raise Invalid("it is nested too deeply") from None
            except ValueError as error:  # an integer of thousands of digits
                raise Invalid(f"it cannot be read: {error}") from None
            if self._text.find("\\u", self._start, end) >= 0:  # only an escape can produce a lone surrogate
                check_surrogates(value)
            self._take(end)
            return value

    def _take(self, end: int) -> None:
        self.line += self._text.count("\n", self._start, end)
        self._start = end

    def _fill(self) -> bool:
        """Double the text that is not yet taken, so that a value is decoded a few times at most; return if any came."""
        unread = self._text[self._start :]
        wanted, texts, size = max(len(unread), 1), [unread], 0
        while size < wanted and (text := next(self._texts, None)) is not None:
            texts.append(text)
            size += len(text)
        self._text, self._start = "".join(texts), 0
        return size > 0


def read_array(text: JsonText, next_record: Callable[[JsonText, str], Record] | None = None) -> LocatedRecords:
    """Yield the records of one array. `next_record` takes a record and its place; without it, a record is an object."""
    next_record = next_record or next_object
    text.next_character()
    text.skip()
    number = 0
    while text.next_character() != "]" or number:
        number += 1
        where = f"line {text.line}, record {number}"
        yield where, next_record(text, where)
        if (following := text.next_character()) != ",":
            if following == "]":
                break
            raise Invalid(f"line {text.line}: a comma or ] must follow record {number} of the array")
        text.skip()
    text.skip()
    if text.next_character():
        raise Invalid(f"line {text.line}: nothing may follow the end of the array")


def read_sequence(text: JsonText) -> LocatedRecords:
    """Yield the records of objects one after another, with or without whitespace between."""
    number = 0
    while text.next_character():
        number += 1
        where = f"line {text.line}, record {number}"
        yield where, next_object(text, where)


def next_object(text: JsonText, where: str) -> dict[str, Any]:
    """Return the next value if it is an object; raise Invalid with its place otherwise."""
    try:
        text.next_character()
        return require_object(text.next_value())
    except Invalid as error:
        raise Invalid(f"{where}: {error.message}") from None


def decode_pieces(pieces: Iterable[bytes]) -> Iterator[str]:
    """Yield the text of each piece; raise Invalid with the line that is not UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    line = 1
    for piece, is_last in chain(((piece, False) for piece in pieces), [(b"", True)]):
        try:
            text = decoder.decode(piece, is_last)
        except UnicodeDecodeError as error:
            line += error.object.count(b"\n", 0, error.start)
            raise Invalid(f"line {line}: it is not UTF-8: it has the byte 0x{error.object[error.start]:02x}") from None
        line += text.count("\n")
        if text:
            yield text


def parse_object(line: bytes) -> dict[str, Any]:
    """Return the JSON object of a line; raise Invalid if it is none, or has text that UTF-8 cannot encode."""
    text = decode_line(line)
    try:
        record = DECODER.decode(text)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and text[error.pos :].strip() == ",":
            raise Invalid(
                "it is not JSON Lines: a comma follows the record; delete the comma after each record, "
                "or put all records between [ and ] with commas only between them"
            ) from None
        raise Invalid(f"it is not JSON: {error.msg} at character {error.pos + 1}") from None
    except RecursionError:
        raise Invalid("it is nested too deeply") from None
    except ValueError as error:  # an integer of thousands of digits
        raise Invalid(f"it cannot be read: {error}") from None
    if "\\u" in text:  # only an escape can produce a lone surrogate
        check_surrogates(record)
    return require_object(record)


def require_object(record: Any) -> dict[str, Any]:
    """Return the record if it is an object; raise Invalid otherwise."""
    if not isinstance(record, dict):
        raise Invalid(f"a record must be an object, not {excerpt(record)}")
    return record


def check_surrogates(record: Any) -> None:
    """Raise Invalid for a lone surrogate, which UTF-8 cannot encode."""
    try:
        json.dumps(record, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        surrogate = f"\\u{ord(error.object[error.start]):04x}"
        raise Invalid(
            f"it has {surrogate}, half of a surrogate pair, which UTF-8 cannot encode; write both halves"
        ) from None


def reject_constant(constant: str) -> NoReturn:
    """Raise Invalid for NaN and the infinities, which Python parses although JSON does not have them."""
    raise Invalid(f"it is not JSON: {constant} is not a number of JSON")


def reject_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the pairs as an object; raise Invalid for a duplicate key, because one of its values would be lost."""
    record = dict(pairs)
    if len(record) < len(pairs):
        keys = [key for key, _ in pairs]
        duplicate = next(key for key in keys if keys.count(key) > 1)
        raise Invalid(f"the key {excerpt(duplicate)} occurs twice")
    return record


def excerpt(value: Any) -> str:
    """Return the beginning of the value's JSON, for an error."""
    text = json.dumps(value, default=str)
    return text if len(text) <= MAX_SHOWN_CHARACTERS else text[:MAX_SHOWN_CHARACTERS] + "…"


DECODER = json.JSONDecoder(parse_constant=reject_constant, object_pairs_hook=reject_duplicates)
