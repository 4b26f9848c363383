"""Load the built-in tasks: `builtin_tasks/<category>/<name>.yaml` is a card, `<name>.jsonl` beside it its samples."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files

from libra.dispatch.tasks import card, sample_records, task_version
from libra.v1.task_pb2 import Sample, Task

PACKAGE = "libra.dispatch.tasks"
FOLDER = "builtin_tasks"


def load() -> Iterator[tuple[Task, list[Sample]]]:
    """Yield each built-in task with its samples, in order of name. The files are checked like those of a user."""
    for name, folder in card.find_cards(files(PACKAGE) / FOLDER).items():
        samples_name = name.removesuffix(".yaml") + ".jsonl"
        parsed = card.parse_card((folder / name).read_text(encoding="utf-8"), file_name=name)
        samples = sample_records.parse_samples([(folder / samples_name).read_bytes()], file_name=samples_name)
        yield task_version.to_task(parsed, samples), samples
