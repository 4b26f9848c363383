"""Writes results as Hugging Face .eval_results files, for the repository of a model on the hub.

A file lists scores as YAML: the dataset on the hub, the task in it, the value, the date and the source. The format has
no place for a task whose samples are not on the hub, nor for an attack.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from libra.cli.export.exported_run import ExportedRun
from libra.core.attack_names import PLAIN, task_label
from libra.v1.ranking_pb2 import BoardRow

FOLDER = ".eval_results"
DECIMALS = 4


@dataclass(frozen=True, slots=True)
class EvalResults:
    """The files of one model."""

    files: Mapping[str, Sequence[Mapping[str, Any]]]
    """The entries by the name of the task."""

    left_out: Sequence[str] = field(default_factory=list)
    """The tasks and attacks that the format cannot name."""


def eval_results(exported: ExportedRun, row: BoardRow) -> EvalResults:
    """Return the entries of a model's plain tasks that are on the hub; values in percent, as on model cards."""
    files: dict[str, list[Mapping[str, Any]]] = {}
    left_out = []
    for task in (task for category in row.categories for task in category.tasks if task.HasField("score")):
        entry = exported.catalogue.get(task.task)
        if task.attack != PLAIN or entry is None or not entry.dataset:
            left_out.append(task_label(task.task, task.attack))
            continue
        files[task.task] = [
            {
                "dataset": {"id": entry.dataset, "task_id": task.task},
                "value": round(100 * task.score.value, DECIMALS),
                "date": exported.run.end_time.ToDatetime().date().isoformat(),
                "notes": f"Libra, {task.judge.name} judge, {task.score.n} samples, run {exported.run.id}",
            }
        ]
    return EvalResults(files, left_out)


def write_eval_results(found: EvalResults, folder: Path) -> int:
    """Write the files below a folder; return their number."""
    target = folder / FOLDER
    target.mkdir(parents=True, exist_ok=True)
    for name, entries in found.files.items():
        text = yaml.safe_dump(list(entries), sort_keys=False, allow_unicode=True)
        (target / f"{name}.yaml").write_text(text, encoding="utf-8")
    return len(found.files)
