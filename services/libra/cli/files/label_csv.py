"""Read a CSV of answers that people have labelled, each fault named with its line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from libra.errors import Invalid, unknown
from libra.v1.judge_pb2 import LabelledAnswer
from libra.v1.message_pb2 import Message

OBJECTIVE, RESPONSE, SCORE = "objective", "assistant_response", "human_score"
COLUMNS = (OBJECTIVE, RESPONSE, SCORE)
LABELS: Mapping[str, bool] = {"1": True, "1.0": True, "true": True, "0": False, "0.0": False, "false": False}
COMMENT = "#"

MAX_BYTES = 15 * 1024 * 1024
"""What one request can carry, with some room."""


def read(path: Path, *, invert: bool = False) -> list[LabelledAnswer]:
    """Return the labelled answers of a file; raise as `parse` does."""
    with path.open("rb") as file:
        return parse(file.read(MAX_BYTES + 1), str(path), invert=invert)


def parse(data: bytes, name: str, *, invert: bool = False) -> list[LabelledAnswer]:
    """Return the labelled answers of a CSV with a head; raise Invalid naming file, line and column at fault.

    Columns may come in any order; those besides the three that are needed become fields of the sample. Lines before the head
    that begin with "#" are passed by. `invert` is for labels of which 1 says what the judge scores with 0.
    """
    if len(data) > MAX_BYTES:
        raise Invalid(f"{name}: it is larger than {MAX_BYTES // 1024**2} MiB; calibrate with a part of it")
    csv.field_size_limit(MAX_BYTES)
    text, comments = _text(data, name), 0
    while text.startswith(COMMENT):
        text, comments = text.partition("\n")[2], comments + 1
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True, restkey="")
    try:
        _check_head(reader.fieldnames or (), name)
        answers = [_answer(row, f"{name}, line {comments + line}", invert=invert) for line, row in _numbered(reader)]
    except csv.Error as error:
        raise Invalid(f"{name}, after line {comments + reader.line_num}: it is not sound CSV: {error}") from None
    if not answers:
        raise Invalid(f"{name}: it has no line but its head")
    return answers


def _text(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(f"{name}: it is not in UTF-8, at byte {error.start:,}") from None


def _check_head(columns: Sequence[str], name: str) -> None:
    for column in COLUMNS:
        if column not in columns:
            raise Invalid(f"{name}: {unknown('column', column, columns)} It needs {', '.join(COLUMNS)}")


def _numbered(reader: csv.DictReader[str]) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield each row that has anything in it, with the line on which it ends."""
    for row in reader:
        if any(row.values()):
            yield reader.line_num, row


def _answer(row: Mapping[str, str], place: str, *, invert: bool) -> LabelledAnswer:
    if "" in row:
        raise Invalid(f"{place}: it has more cells than the head")
    label = LABELS.get((row[SCORE] or "").strip().casefold())
    if label is None:
        raise Invalid(f"{place}: {SCORE} is {row[SCORE]!r}; it must be 0 or 1")
    return LabelledAnswer(
        messages=[Message(role="user", content=row[OBJECTIVE] or "")],
        text=row[RESPONSE] or "",
        fields={column: value for column, value in row.items() if value and column not in COLUMNS},
        positive=label != invert,
    )
