"""Reads a CSV file of capability scores."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from libra.cli.files.utf8 import decode_utf8
from libra.core.errors import Invalid, unknown

MAX_BYTES = 4 * 1024 * 1024
REQUIRED_COLUMNS, OPTIONAL_COLUMNS = ("model", "score"), ("standard_error",)
REQUEST_FIELD = re.compile(r"capabilities\[(\d+)\](?:\.(\w+))?")
SCALE_FIELDS = ("scale", "zero", "one")
COLUMN_OF_FIELD = {"published": "score"}
"""The columns that have another name than the field of the request."""


@dataclass(frozen=True, slots=True)
class CapabilityRow:
    """The score of one model."""

    model: str
    score: float
    standard_error: float | None
    line: int


@dataclass(frozen=True, slots=True)
class CapabilityTable:
    """The rows of one file, in the order of the request."""

    name: str
    rows: Sequence[CapabilityRow]

    def location_of(self, field: str) -> str:
        """Return where a field of the request stands: "scores.csv, line 7: score", or "--scale"."""
        found = REQUEST_FIELD.fullmatch(field)
        if found is None:
            return self.name
        row, column = self.rows[int(found[1])], found[2] or ""
        if column in SCALE_FIELDS:
            return "--scale"
        location = f"{self.name}, line {row.line}"
        return f"{location}: {COLUMN_OF_FIELD.get(column, column)}" if column else location


def read(path: Path) -> CapabilityTable:
    """Return the scores of the file; raise as `parse` does."""
    with path.open("rb") as file:
        return parse(file.read(MAX_BYTES + 1), str(path))


def parse(data: bytes, name: str) -> CapabilityTable:
    """Return the scores of a CSV file with a head line; raise Invalid with the file, line and column at fault.

    The columns may have any order; empty lines are skipped.
    """
    if len(data) > MAX_BYTES:
        raise Invalid(f"{name} is too large: a file of capability scores has at most {MAX_BYTES:,} bytes")
    reader = csv.DictReader(io.StringIO(decode_utf8(data, name), newline=""), strict=True, restkey="")
    rows: list[CapabilityRow] = []
    line_of_model: dict[str, int] = {}
    try:
        _check_head(reader.fieldnames or (), name)
        for cells in reader:
            row = _row(cells, f"{name}, line {reader.line_num}", reader.line_num)
            if row.model in line_of_model:
                first = line_of_model[row.model]
                raise Invalid(f"{name}, line {row.line}: the model {row.model} is already in line {first}")
            line_of_model[row.model] = row.line
            rows.append(row)
    except csv.Error as error:
        raise Invalid(f"{name}, line {reader.line_num}: the file is not valid CSV: {error}") from None
    if not rows:
        raise Invalid(f"{name} has no scores: below the head line model,score it needs a line for each model")
    return CapabilityTable(name, rows)


def _check_head(head: Sequence[str], name: str) -> None:
    """Raise Invalid if a column is missing, unknown or repeated."""
    known = (*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS)
    for column in head:
        if column not in known:
            raise Invalid(f"{name}, line 1: {unknown('column', column, known)}")
    for column in known:
        if head.count(column) > 1:
            raise Invalid(f"{name}, line 1: the column {column} is repeated")
    for column in REQUIRED_COLUMNS:
        if column not in head:
            raise Invalid(
                f"{name}, line 1: the column {column} is missing; the columns are model,score[,standard_error]"
            )


def _row(cells: Mapping[str, str | None], location: str, line: int) -> CapabilityRow:
    if "" in cells:
        raise Invalid(f"{location}: the line has more cells than the head line")
    model = (cells["model"] or "").strip()
    if not model:
        raise Invalid(f"{location}: model is empty")
    error = (cells.get("standard_error") or "").strip()
    return CapabilityRow(
        model,
        _number(cells["score"] or "", f"{location}: score"),
        _number(error, f"{location}: standard_error") if error else None,
        line,
    )


def _number(text: str, location: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise Invalid(f"{location} must be a number, not {text!r}") from None
    if not math.isfinite(number):
        raise Invalid(f"{location} must be a finite number, not {text!r}")
    return number
