"""Writes rows to CSV, JSON Lines and Parquet files, one page at a time."""

from __future__ import annotations

import csv
import importlib
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import IO, Any, Protocol

from libra.cli.export.verdict_rows import Row
from libra.core.errors import ExtraNotInstalled

CSV, JSONL, PARQUET = "csv", "jsonl", "parquet"
GROUP_ROWS = 2_000
"""The rows of one row group of a Parquet file."""

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes a text that begins with one of these for a formula."""


class TableWriter(Protocol):
    """Writes rows to an open file."""

    def write(self, row: Row) -> None:
        """Write one row."""

    def close(self) -> None:
        """Write what is left; the file stays open."""


async def write_table(rows: AsyncIterator[Row], path: Path, form: str, columns: Mapping[str, type]) -> int:
    """Write the rows to a file, which appears when it is complete; return their number.

    Raises ExtraNotInstalled for a Parquet file without pyarrow, and OSError.
    """
    part = path.with_name(f".{path.name}.part")
    count = 0
    try:
        with part.open("wb") as file:
            writer = _writer(form, file, columns)
            async for row in rows:
                writer.write(row)
                count += 1
            writer.close()
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return count


def _writer(form: str, file: IO[bytes], columns: Mapping[str, type]) -> TableWriter:
    if form == CSV:
        return CsvWriter(file, columns)
    return ParquetWriter(file, columns) if form == PARQUET else JsonLinesWriter(file)


class CsvWriter:
    """Writes CSV in UTF-8 that no spreadsheet takes for formulas."""

    def __init__(self, file: IO[bytes], columns: Mapping[str, type]) -> None:
        self._file, self._columns = file, columns
        self._write_line(dict(zip(columns, columns, strict=True)))

    def write(self, row: Row) -> None:
        """Write one line."""
        self._write_line({name: _without_formula(value) for name, value in row.items()})

    def close(self) -> None:
        """Nothing is left to write."""

    def _write_line(self, row: Row) -> None:
        csv.writer(_Encoded(self._file), lineterminator="\n").writerow(row[name] for name in self._columns)


class _Encoded:
    """A text file over a binary one."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, text: str) -> int:
        return self._file.write(text.encode(errors="replace"))


class JsonLinesWriter:
    """Writes one JSON object a line."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, row: Row) -> None:
        """Write one line."""
        self._file.write(json.dumps(row, ensure_ascii=False).encode(errors="replace") + b"\n")

    def close(self) -> None:
        """Nothing is left to write."""


class ParquetWriter:
    """Writes a Parquet file, compressed with zstd."""

    def __init__(self, file: IO[bytes], columns: Mapping[str, type]) -> None:
        try:
            self._arrow = importlib.import_module("pyarrow")
            parquet = importlib.import_module("pyarrow.parquet")
        except ModuleNotFoundError as error:
            raise ExtraNotInstalled("Parquet files need pyarrow: pip install 'libra[parquet]'") from error
        types = {str: self._arrow.string(), int: self._arrow.int64(), float: self._arrow.float64()}
        self._schema = self._arrow.schema([(name, types[kind]) for name, kind in columns.items()])
        self._writer: Any = parquet.ParquetWriter(file, self._schema, compression="zstd")
        self._rows: list[Row] = []

    def write(self, row: Row) -> None:
        """Add one row to the row group."""
        self._rows.append(row)
        if len(self._rows) == GROUP_ROWS:
            self._write_group()

    def close(self) -> None:
        """Write the last row group and the footer."""
        self._write_group()
        self._writer.close()

    def _write_group(self) -> None:
        if self._rows:
            self._writer.write_table(self._arrow.Table.from_pylist(self._rows, schema=self._schema))
            self._rows = []


def _without_formula(value: Any) -> Any:
    """Return a text that a spreadsheet shows as it is."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_SIGNS) else value
