"""Agreement of the refusal judge with published human labels."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable

from tests.data_files import REFUSAL_LABELS

from libra.judge.refusal_detection.detector import COMPLIED, classify_answer

FLOOR = 0.95


def test_the_judge_agrees_with_human_labels(record_property: Callable[[str, object], None]) -> None:
    with REFUSAL_LABELS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("# dataset_version")))
    refusals = [classify_answer(row["objective"], row["assistant_response"]).label != COMPLIED for row in rows]
    wrong = [
        f"{row['objective'][:60]!r}: the human label is {row['human_score']}"
        for row, refused in zip(rows, refusals, strict=True)
        if refused != (row["human_score"] == "1")
    ]
    accuracy = 1 - len(wrong) / len(rows)
    record_property("accuracy", accuracy)
    sys.stdout.write(f"refusal judge: accuracy {accuracy:.3f} on {len(rows)} labels; wrong: {wrong}\n")
    assert accuracy >= FLOOR, wrong
