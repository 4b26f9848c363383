"""Read a CSV of capability figures, each fault named with its line."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from libra.errors import Invalid, unknown

MAX_BYTES = 4 * 1024 * 1024
NEEDED, OPTIONAL = ("model", "score"), ("standard_error",)
PLACE = re.compile(r"capabilities\[(\d+)\](?:\.(\w+))?")
COLUMN_OF = {"published": "score"}
"""The columns whose name is not that of the field they fill."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the file."""

    model: str
    score: float
    standard_error: float | None
    line: int


@dataclass(frozen=True, slots=True)
class Figures:
    """A file that could be read."""

    name: str
    rows: Sequence[Figure]

    def place(self, field: str) -> str:
        """Return what to call a field of the request: "scores.csv, line 7: score"."""
        found = PLACE.fullmatch(field)
        if found is None:
            return self.name
        row, column = self.rows[int(found[1])], found[2] or ""
        place = f"{self.name}, line {row.line}"
        if column in ("scale", "zero", "one"):
            return "--scale"
        return f"{place}: {COLUMN_OF.get(column, column)}" if column else place


def read(path: Path) -> Figures:
    """Return the figures of the file; raise as `parse` does."""
    with path.open("rb") as file:
        return parse(file.read(MAX_BYTES + 1), str(path))


def parse(data: bytes, name: str) -> Figures:
    """Return the figures of a CSV with a head; raise Invalid naming file, line and column at fault.

    Columns may come in any order; a line without anything in it is passed by.
    """
    reader = csv.DictReader(io.StringIO(_text(data, name), newline=""), strict=True, restkey="")
    rows: list[Figure] = []
    lines: dict[str, int] = {}
    try:
        _check_head(reader.fieldnames or (), name)
        for given in reader:
            place = f"{name}, line {reader.line_num}"
            figure = _figure(given, place, reader.line_num)
            if figure.model in lines:
                raise Invalid(f"{place}: {figure.model} stands there twice, first in line {lines[figure.model]}")
            lines[figure.model] = figure.line
            rows.append(figure)
    except csv.Error as error:
        raise Invalid(f"{name}, line {reader.line_num}: it is not CSV: {error}") from None
    if not rows:
        raise Invalid(f"{name} holds no figure: it needs a line for each model, under the head model,score")
    return Figures(name, rows)


def _text(data: bytes, name: str) -> str:
    if len(data) > MAX_BYTES:
        raise Invalid(f"{name} is too large: a file of figures has at most {MAX_BYTES:,} bytes")
    try:
        return data.decode("utf-8-sig")  # spreadsheets put a mark before the first byte
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Invalid(
            f"{name}, line {line}: it is not UTF-8: byte {error.start} is 0x{data[error.start]:02x}"
        ) from None


def _check_head(head: Sequence[str], name: str) -> None:
    """Refuse a head with a column that is missing, unknown or there twice."""
    known = (*NEEDED, *OPTIONAL)
    for column in head:
        if column not in known:
            raise Invalid(f"{name}, line 1: {unknown('column', column, known)}")
    for column in known:
        if head.count(column) > 1:
            raise Invalid(f"{name}, line 1: the column {column} stands there twice")
    for column in NEEDED:
        if column not in head:
            raise Invalid(f"{name}, line 1: it needs the column {column}; the head is model,score[,standard_error]")


def _figure(given: Mapping[str, str | None], place: str, line: int) -> Figure:
    if "" in given:
        raise Invalid(f"{place}: it has more columns than the head")
    model = (given["model"] or "").strip()
    if not model:
        raise Invalid(f"{place}: model is empty")
    error = (given.get("standard_error") or "").strip()
    return Figure(
        model,
        _number(given["score"] or "", f"{place}: score"),
        _number(error, f"{place}: standard_error") if error else None,
        line,
    )


def _number(word: str, place: str) -> float:
    try:
        number = float(word)
    except ValueError:
        raise Invalid(f"{place} must be a number, not {word!r}") from None
    if not math.isfinite(number):
        raise Invalid(f"{place} must be a finite number, not {word!r}")
    return number
