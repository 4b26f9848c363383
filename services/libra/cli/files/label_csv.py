"""Reads a CSV file of answers that people have labelled."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from libra.cli.files.utf8 import decode_utf8
from libra.core.errors import Invalid
from libra.v1.judge_pb2 import LabelledAnswer
from libra.v1.message_pb2 import Message

OBJECTIVE, RESPONSE, SCORE = "objective", "assistant_response", "human_score"
COLUMNS = (OBJECTIVE, RESPONSE, SCORE)
LABELS: Mapping[str, bool] = {"1": True, "1.0": True, "true": True, "0": False, "0.0": False, "false": False}
COMMENT = "#"
MAX_COLUMNS_SHOWN = 20

MAX_BYTES = 15 * 1024 * 1024
"""Slightly less than the largest request."""


def read(path: Path, *, invert: bool = False) -> list[LabelledAnswer]:
    """Return the labelled answers of a file; raise as `parse` does."""
    with path.open("rb") as file:
        return parse(file.read(MAX_BYTES + 1), str(path), invert=invert)


def parse(data: bytes, name: str, *, invert: bool = False) -> list[LabelledAnswer]:
    """Return the answers of a CSV file with a head line; raise Invalid with the file, line and column at fault.

    The columns may have any order; other columns than the three required ones become fields of the sample. Lines before
    the head line that begin with "#" are skipped. `invert` is for labels where 1 means what the judge scores with 0.
    """
    if len(data) > MAX_BYTES:
        raise Invalid(f"{name} is larger than {MAX_BYTES // 1024**2} MiB; calibrate with a part of it")
    csv.field_size_limit(MAX_BYTES)
    text, comments = decode_utf8(data, name), 0
    while text.startswith(COMMENT):
        text, comments = text.partition("\n")[2], comments + 1
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True, restkey="")
    try:
        _check_head(reader.fieldnames or (), name)
        answers = [_answer(row, f"{name}, line {comments + line}", invert=invert) for line, row in _rows(reader)]
    except csv.Error as error:
        raise Invalid(f"{name}, after line {comments + reader.line_num}: the file is not valid CSV: {error}") from None
    if not answers:
        raise Invalid(f"{name} has no lines below its head line")
    return answers


def _check_head(head: Sequence[str], name: str) -> None:
    for column in COLUMNS:
        if column not in head:
            found = ", ".join(head[:MAX_COLUMNS_SHOWN])
            raise Invalid(f"{name}: the column {column} is missing; needed: {', '.join(COLUMNS)}; found: {found}")


def _rows(reader: csv.DictReader[str]) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield each row that is not empty, with its last line."""
    for row in reader:
        if any(row.values()):
            yield reader.line_num, row


def _answer(row: Mapping[str, str], location: str, *, invert: bool) -> LabelledAnswer:
    if "" in row:
        raise Invalid(f"{location}: the line has more cells than the head line")
    label = LABELS.get((row[SCORE] or "").strip().casefold())
    if label is None:
        raise Invalid(f"{location}: {SCORE} is {row[SCORE]!r}; it must be 0 or 1")
    return LabelledAnswer(
        messages=[Message(role="user", content=row[OBJECTIVE] or "")],
        text=row[RESPONSE] or "",
        fields={column: value for column, value in row.items() if value and column not in COLUMNS},
        positive=label != invert,
    )
