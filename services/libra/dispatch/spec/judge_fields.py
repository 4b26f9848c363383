"""Check that the samples of a run have the fields that its judges compare with, before any request is paid for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from libra.core.errors import Invalid
from libra.store.runs import RunSection
from libra.store.tasks import TaskCollection

CHECKED_SAMPLES = 20
"""An import refuses a task in which only some samples have the field of its judge."""

FIELD_OPTION = "field"
PER_SAMPLE = "mixed"
"""The judge whose field only some samples have."""


async def check_judge_fields(tasks: TaskCollection, sections: Iterable[RunSection]) -> None:
    """Raise Invalid if the judge of a section reads a field that the first samples of its task lack."""
    judged = {
        (section.task, section.judge.name, section.judge.options[FIELD_OPTION])
        for section in sections
        if section.judge.name != PER_SAMPLE and FIELD_OPTION in section.judge.options
    }
    await asyncio.gather(*(_check(tasks, *each) for each in sorted(judged)))


async def _check(tasks: TaskCollection, task: str, judge: str, field: str) -> None:
    samples = await tasks.list_samples(task, limit=CHECKED_SAMPLES)
    if samples and not any(sample.fields.get(field, "").strip() for sample in samples):
        name = task.partition("@")[0]
        raise Invalid(
            f"the judge {judge} of {name} reads the field {field!r}, which its samples lack; "
            f"name another judge with --judge {name}=JUDGE, or import the task with a card that maps the field",
            field="spec.tasks",
        )
