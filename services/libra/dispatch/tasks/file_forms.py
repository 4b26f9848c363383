"""Recognise the form of an imported file by its first bytes and its name: gzip, Parquet, CSV, TSV or JSON."""

from __future__ import annotations

import csv
import re
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from tempfile import TemporaryFile
from typing import Any, TypeVar

from libra.core.errors import Invalid

Record = dict[str, Any]
LocatedRecords = Iterator[tuple[str, Record]]
"""Each record with its place in the file, as "line 3"."""

Located = TypeVar("Located")

BOM = b"\xef\xbb\xbf"
GZIP = b"\x1f\x8b"
PARQUET = b"PAR1"
DELIMITERS = {".csv": ",", ".tsv": "\t"}
HEAD_BYTES = 4
INFLATED_BYTES = 1024 * 1024
"""The most that is decompressed at once."""

PARQUET_ROWS = 256
"""The most rows of Parquet that are decoded at once, and fewer if they are long."""

PARQUET_BATCH_BYTES = 4 * 1024 * 1024
PARQUET_BUFFER_BYTES = 64 * 1024
"""Without a buffer, the column of a whole row group is in memory, and a file may be one row group."""

MAX_RECORDS = 2_000_000
"""Ids take 12 to 25 bytes of memory per record."""

MAX_FILE_BYTES = 256 * 1024 * 1024
MAX_CELL_CHARACTERS = 2 * 1024 * 1024
MAX_LINE_BYTES = 16 * 1024 * 1024
LONE_RETURN = re.compile(r"(?<=\r)(?!\n)")

UNREADABLE = {
    b"\xff\xfe": "line 1: it is not UTF-8 but UTF-16; save the file as UTF-8",
    b"\xfe\xff": "line 1: it is not UTF-8 but UTF-16; save the file as UTF-8",
    b"PK\x03\x04": "it is a ZIP archive or a spreadsheet; unpack it, or save it as CSV",
    b"BZh": "it is compressed with bzip2; decompress it, or compress it with gzip",
    b"\xfd7zX": "it is compressed with xz; decompress it, or compress it with gzip",
    b"\x28\xb5\x2f\xfd": "it is compressed with zstd; decompress it, or compress it with gzip",
}


def open_pieces(pieces: Iterable[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Return the first 4 bytes of a file, decompressed if it is gzip, and all of its pieces.

    Raises Invalid for a form that Libra does not read.
    """
    head, pieces = peek(pieces)
    if head.startswith(GZIP):
        head, pieces = peek(decompress(pieces))
    for start, fault in UNREADABLE.items():
        if head.startswith(start):
            raise Invalid(fault)
    return head, pieces


def peek(pieces: Iterable[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Return the first 4 bytes, or fewer if there are fewer, and all pieces."""
    remaining, head = iter(pieces), b""
    while len(head) < HEAD_BYTES and (piece := next(remaining, None)) is not None:
        head += piece
    return head[:HEAD_BYTES], chain([head] if head else [], remaining)


def decompress(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the content of a gzip file; raise Invalid if it is damaged, incomplete or larger than the limit."""
    member, size_bytes = zlib.decompressobj(zlib.MAX_WBITS | 16), 0
    try:
        for piece in pieces:
            data = piece
            while data:
                if member.eof:
                    member = zlib.decompressobj(zlib.MAX_WBITS | 16)
                content = member.decompress(data, INFLATED_BYTES)
                data = member.unconsumed_tail or member.unused_data
                size_bytes += len(content)
                check_size(size_bytes)
                yield content
        yield member.flush()
    except zlib.error as error:
        raise Invalid(f"it is not valid gzip: {error}") from None
    if not member.eof:
        raise Invalid("it is an incomplete gzip file; copy or compress it again")


def check_size(size_bytes: int) -> None:
    """Raise Invalid if the content of a file is larger than the limit."""
    if size_bytes > MAX_FILE_BYTES:
        raise Invalid(
            f"the file is larger than {MAX_FILE_BYTES:,} bytes; split it into several tasks",
            field="data",
        )


def count_records(records: Iterable[Located]) -> Iterator[Located]:
    """Yield the records; raise Invalid if there are more than the limit."""
    for number, record in enumerate(records, start=1):
        if number > MAX_RECORDS:
            raise Invalid(f"the file has more than {MAX_RECORDS:,} records; split it into several tasks")
        yield record


def extension_of(file_name: str) -> str:
    """Return the extension in lower case, without that of gzip: ".csv" for "Mine.CSV.gz"."""
    name = file_name.lower().removesuffix(".gz")
    return name[name.rfind(".") :] if "." in name else ""


def split_lines(pieces: Iterable[bytes], *, max_bytes: int | None = None) -> Iterator[bytes]:
    """Yield each line without its end; raise Invalid for a line of more than `max_bytes`.

    Only a line feed ends a line: a text may contain U+2028 and the like.
    """
    incomplete: list[bytes] = []
    number, size_bytes = 1, 0
    for piece in pieces:
        first, *others = piece.split(b"\n")
        incomplete.append(first)
        size_bytes += len(first)
        for other in others:
            yield b"".join(incomplete)
            incomplete, size_bytes = [other], len(other)
            number += 1
        if max_bytes and size_bytes > max_bytes:
            raise Invalid(f"line {number} has more than {max_bytes:,} bytes")
    if last := b"".join(incomplete):
        yield last


def decode_line(line: bytes) -> str:
    """Return the text of a line; raise Invalid if it is not UTF-8."""
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise Invalid(f"it is not UTF-8: byte {error.start + 1} of the line is 0x{line[error.start]:02x}") from None


def read_table(pieces: Iterable[bytes], delimiter: str) -> Iterator[tuple[int, int, Record]]:
    """Yield the rows of a table, each with its first line and its number; empty cells are omitted.

    The first line names the columns; a column without a name (an index) is omitted. If the first line has semicolons
    and not the delimiter, semicolons separate the cells.
    """
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    lines = table_lines(pieces)
    first = next(lines, "")
    rows = csv.reader(chain([first], lines), delimiter=delimiter_of(first, delimiter), strict=True)
    columns: list[str] = []
    start = number = 0
    try:
        for cells in rows:
            start, line = rows.line_num, start + 1
            if not cells:
                continue
            if not columns:
                columns = check_columns(cells)
                continue
            number += 1
            if len(cells) != len(columns):
                raise Invalid(
                    f"record {number} does not have as many cells as the first line has columns: "
                    f"line {line} has {len(cells)} cells for {len(columns)} columns"
                )
            yield line, number, {name: cell for name, cell in zip(columns, cells, strict=True) if name and cell}
    except csv.Error as error:
        raise Invalid(f"line {rows.line_num}: it is not CSV: {error}") from None


def table_lines(pieces: Iterable[bytes]) -> Iterator[str]:
    """Yield the lines of a table with their ends; a lone carriage return ends a line too."""
    for number, raw in enumerate(split_lines(pieces, max_bytes=MAX_LINE_BYTES), start=1):
        try:
            text = decode_line(raw.removeprefix(BOM) if number == 1 else raw)
        except Invalid as error:
            raise Invalid(f"line {number}: {error.message}") from None
        yield from LONE_RETURN.split(text + "\n")


def delimiter_of(first_line: str, delimiter: str) -> str:
    """Return the delimiter of a table whose columns its first line names."""
    return ";" if delimiter not in first_line and ";" in first_line else delimiter


def check_columns(names: list[str]) -> list[str]:
    """Return the names of the columns; raise Invalid for one that occurs twice."""
    for name in names:
        if name and names.count(name) > 1:
            raise Invalid(f"line 1: the column {name!r} occurs twice")
    return names


def read_parquet(pieces: Iterable[bytes]) -> Iterator[tuple[int, Record]]:
    """Yield the rows of a Parquet file with their numbers, without missing values."""
    try:
        from pyarrow import ArrowException, parquet  # noqa: PLC0415 - of the extra `parquet`
    except ImportError:
        raise Invalid(
            "it is Parquet, and the dispatch service has no pyarrow: install the extra `parquet`, or save it as JSONL"
        ) from None
    with TemporaryFile() as file:
        file.writelines(pieces)
        file.seek(0)
        number = size_bytes = 0
        try:
            opened = parquet.ParquetFile(file, buffer_size=PARQUET_BUFFER_BYTES, pre_buffer=False)
            for batch in opened.iter_batches(batch_size=parquet_rows(opened.metadata), use_threads=False):
                size_bytes += batch.nbytes
                check_size(size_bytes)
                for number, row in enumerate(batch.to_pylist(), start=number + 1):  # noqa: B020 - it counts on
                    yield number, {name: value for name, value in row.items() if value is not None}
        except ArrowException as error:
            raise Invalid(f"it is not valid Parquet: {str(error).splitlines()[0]}") from None


def parquet_rows(metadata: Any) -> int:
    """Return how many rows to decode at once; raise Invalid if the content is larger than the limit."""
    size_bytes = sum(metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups))
    check_size(size_bytes)
    row_bytes = size_bytes / max(metadata.num_rows, 1)
    return max(1, min(PARQUET_ROWS, int(PARQUET_BATCH_BYTES / max(row_bytes, 1))))
