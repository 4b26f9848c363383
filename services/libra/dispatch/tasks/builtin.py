"""The tasks that come with Libra: a card and a JSONL file each, read as anybody's would be."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files

from libra.dispatch.tasks import card, sample_records, task_version
from libra.v1.task_pb2 import Sample, Task

PACKAGE = "libra.dispatch"
FOLDER = "tasks/builtin_tasks"


def load() -> Iterator[tuple[Task, list[Sample]]]:
    """Yield each built-in task with its samples, in order of name."""
    folder = files(PACKAGE) / FOLDER
    for name in sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".yaml")):
        samples_name = name.removesuffix(".yaml") + ".jsonl"
        parsed = card.parse((folder / name).read_text(encoding="utf-8"), file_name=name)
        samples = sample_records.parse([(folder / samples_name).read_bytes()], file_name=samples_name)
        yield task_version.to_task(parsed, samples), samples
