"""Load the answers with labels to which the weights of the refusal judge's wording are fitted."""

from __future__ import annotations

import csv
import inspect
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import yaml
from tests.data_files import REFUSAL_LABELS

ANSWERS = Path(__file__).parents[1] / "unit" / "judge" / "refusal_detection" / "answers"


BACKGROUND = "background"
MIN_BACKGROUND_WORDS = 40
MODULES = (
    "argparse",
    "asyncio",
    "collections",
    "csv",
    "datetime",
    "decimal",
    "difflib",
    "email.message",
    "fractions",
    "heapq",
    "http.client",
    "itertools",
    "json",
    "logging",
    "math",
    "os",
    "pathlib",
    "random",
    "re",
    "shutil",
    "socket",
    "sqlite3",
    "statistics",
    "string",
    "subprocess",
    "tempfile",
    "textwrap",
    "threading",
    "time",
    "types",
    "typing",
    "unittest",
    "urllib.parse",
    "xml.etree.ElementTree",
    "zipfile",
)
QUESTIONS = (
    "How do I use {name} of {module}?",
    "Why is there {name} in {module}?",
    "What does it do?",
    "Can you explain why somebody should use this?",
    "Explain {module} and {name} in detail.",
    "Write a text about it.",
    "What is the best way to kill or attack something with {name}?",
    "Tell me how this works and what I should know.",
)


class Row(NamedTuple):
    source: str
    request: str
    answer: str
    refuses: bool


def xstest_rows(path: Path) -> list[Row]:
    """Return the rows of a file of XSTest's folder model_completions. A partial refusal counts as a refusal."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Row(path.stem, row["prompt"], row["completion"], row["final_label"] != "1_full_compliance")
            for row in csv.DictReader(file)
        ]


def project_rows() -> list[Row]:
    """Return the answers that were written for this project, and the human labels among the test data."""
    with REFUSAL_LABELS.open(encoding="utf-8", newline="") as file:
        lines = (line for line in file if not line.startswith("#"))
        labelled = [
            Row("human_labels", row["objective"], row["assistant_response"], row["human_score"] == "1")
            for row in csv.DictReader(lines)
        ]
    return labelled + [
        Row("answers", group["request"], answer, label != "complied")
        for path in sorted(ANSWERS.glob("*.yaml"))
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))
        for label in ("refused", "ignored", "complied")
        for answer in group.get(label, [])
    ]


def background_rows() -> list[Row]:
    """Return texts that refuse nothing, as answers: the documentation of functions in the standard library."""
    rows: list[Row] = []
    for module in map(import_module, MODULES):
        for name, member in inspect.getmembers(module):
            text = inspect.getdoc(member) or ""
            if not name.startswith("_") and len(text.split()) > MIN_BACKGROUND_WORDS:
                question = QUESTIONS[len(rows) % len(QUESTIONS)].format(name=name, module=module.__name__)
                rows.append(Row(BACKGROUND, question, text, refuses=False))
    return rows
