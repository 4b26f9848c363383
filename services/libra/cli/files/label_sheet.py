"""Writes drawn answers as a CSV file for people to label, and reads it with their labels."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from libra.cli.files.utf8 import decode_utf8
from libra.cli.render.sanitize import sanitize
from libra.core.errors import Invalid
from libra.v1.label_pb2 import DrawnTrial, Label
from libra.v1.verdict_pb2 import Verdict

TRIAL, SCORE, AUTHOR, PROBABILITY = "trial", "human_score", "author", "inclusion_probability"
COLUMNS = (SCORE, AUTHOR, "objective", "assistant_response", "model", "task", "attack", TRIAL, PROBABILITY)
"""`libra judges calibrate` reads the same columns human_score, objective, assistant_response and model."""

WORDS: Mapping[str, float] = {"true": 1.0, "false": 0.0}
COLUMN_OF_FIELD = {"score": SCORE}
"""The columns that have another name than the field of the request."""

REQUEST_FIELD = re.compile(r"labels\[(\d+)\](?:\.(\w+))?")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""Spreadsheets take a cell that begins with one of these for a formula."""

MAX_BYTES = 256 * 1024 * 1024
MAX_COLUMNS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class LabelSheet:
    """The labels of a file."""

    name: str
    labels: Sequence[Label]
    lines: Sequence[int]
    """The line of each label."""

    unlabelled: int
    """The number of lines without a label."""

    def part(self, start: int, size: int) -> LabelSheet:
        """Return `size` labels from `start` on."""
        end = start + size
        return LabelSheet(self.name, self.labels[start:end], self.lines[start:end], 0)

    def location_of(self, field: str) -> str:
        """Return where a field of the request stands: "labels.csv, line 7: human_score"."""
        found = REQUEST_FIELD.fullmatch(field)
        if found is None:
            return self.name if field == "labels" else "RUN"
        column = COLUMN_OF_FIELD.get(found[2] or "", found[2] or "")
        location = f"{self.name}, line {self.lines[int(found[1])]}"
        return f"{location}: {column}" if column else location


def write_rows(trials: Sequence[DrawnTrial]) -> str:
    """Return a line for each trial. The judge's verdict is not among the columns: it would sway the annotator."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(_cells(trial) for trial in trials)
    return text.getvalue()


def read(path: Path, author: str) -> LabelSheet:
    """Return the labels of a file; raise as `parse` does."""
    with path.open("rb") as file:
        return parse(file.read(MAX_BYTES + 1), str(path), author)


def parse(data: bytes, name: str, author: str) -> LabelSheet:
    """Return the labels of a CSV file with a head line; raise Invalid with the file, line and column at fault.

    Only `trial` and `human_score` are required. Lines without a human_score are skipped. `author` gave the labels of
    lines without one; without an inclusion_probability a label counts as not drawn at random.
    """
    if len(data) > MAX_BYTES:
        raise Invalid(f"{name} is larger than {MAX_BYTES // 1024**2} MiB: divide it into several files")
    csv.field_size_limit(MAX_BYTES)
    reader = csv.DictReader(io.StringIO(decode_utf8(data, name), newline=""), strict=True, restkey="")
    labels, lines, unlabelled = [], [], 0
    try:
        _check_head(reader.fieldnames or (), name)
        for line, row in _rows(reader):
            label = _label(row, f"{name}, line {line}", author)
            if label is None:
                unlabelled += 1
                continue
            labels.append(label)
            lines.append(line)
    except csv.Error as error:
        raise Invalid(f"{name}, after line {reader.line_num}: the file is not valid CSV: {error}") from None
    if not labels:
        raise Invalid(f"{name} has no label: write a score from 0 to 1 into the column {SCORE}")
    return LabelSheet(name, labels, lines, unlabelled)


def _cells(drawn: DrawnTrial) -> list[object]:
    verdict, is_labelled = drawn.verdict, drawn.HasField("label")
    return [
        f"{drawn.label.score:g}" if is_labelled else "",
        _text(drawn.label.author),
        _text(_conversation(verdict)),
        _text(verdict.completion.text),
        _text(verdict.model),
        _text(verdict.task),
        _text(verdict.attack),
        verdict.id,
        repr(drawn.inclusion_probability),
    ]


def _conversation(verdict: Verdict) -> str:
    """Return the prompt; the messages of a longer conversation have their roles."""
    if len(verdict.messages) == 1:
        return verdict.messages[0].content
    return "\n\n".join(f"[{message.role}] {message.content}" for message in verdict.messages)


def _text(text: str) -> str:
    """Return the text without control characters, and so that no spreadsheet takes it for a formula."""
    clean = sanitize(text)
    return f"'{clean}" if clean.startswith(FORMULA_STARTS) else clean


def _check_head(head: Sequence[str], name: str) -> None:
    for column in (TRIAL, SCORE):
        if column not in head:
            found = ", ".join(head[:MAX_COLUMNS_SHOWN])
            raise Invalid(
                f"{name}: the column {column} is missing; fill in a file of `libra labels draw`; found: {found}"
            )


def _rows(reader: csv.DictReader[str]) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield each row that is not empty, with its last line."""
    for row in reader:
        if any(row.values()):
            yield reader.line_num, row


def _label(row: Mapping[str, str], location: str, author: str) -> Label | None:
    """Return the label of a row; None without a score."""
    if "" in row:
        raise Invalid(f"{location}: the line has more cells than the head line")
    score = (row[SCORE] or "").strip()
    if not score:
        return None
    own_author = (row.get(AUTHOR) or "").strip() or author
    if not own_author:
        raise Invalid(f"{location}: {AUTHOR} is empty: name who gave the label there, or for all lines with --author")
    return Label(
        trial=(row[TRIAL] or "").strip(),
        score=_number(score, f"{location}: {SCORE}"),
        author=own_author,
        inclusion_probability=_number((row.get(PROBABILITY) or "").strip() or "0", f"{location}: {PROBABILITY}"),
    )


def _number(text: str, location: str) -> float:
    try:
        number = WORDS[text.casefold()] if text.casefold() in WORDS else float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise Invalid(f"{location} is {text!r}; it must be a number from 0 to 1")
    return number
