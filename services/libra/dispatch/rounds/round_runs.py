"""The rules for runs on the samples of rounds: which samples a run may use, and which of them are sealed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from libra.core.errors import FailedPrecondition, Invalid, NotFound
from libra.dispatch.spec.registry import EVERY_TASK, Registry, task_reference
from libra.store.client import Store
from libra.store.rounds.rounds import CLOSED, OPEN, RoundRecord
from libra.store.runs import RunSection
from libra.v1.run_pb2 import RunSpec
from libra.v1.task_pb2 import Task

MAX_NAMES = 500
"""Rounds among which the nearest names are looked for."""


class RoundRuns:
    """Checks the specs of runs against the rounds."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def restrict(self, spec: RunSpec, registry: Registry) -> tuple[RunSpec, Registry]:
        """Return the spec and the tasks that it can select: only those of its round if it names one.

        Raises NotFound for an unknown round, FailedPrecondition for a round that is not open, and for a task of an open
        round in a run that does not name the round; Invalid for a number of samples.
        """
        if not spec.round:
            await self._check_not_open(registry.tasks.values())
            return spec, registry
        record = await self.require_open(spec.round)
        if spec.samples_per_task:
            raise Invalid(
                f"the samples of the round {record.name} are fixed: every run of it uses all; leave the number out",
                field="spec.samples_per_task",
            )
        tasks = await self._load_tasks(record)
        restricted = RunSpec()
        restricted.CopyFrom(spec)
        restricted.tasks[:] = spec.tasks or [EVERY_TASK]
        return restricted, replace(registry, tasks=tasks)

    async def seal(self, sections: Sequence[RunSection]) -> tuple[RunSection, ...]:
        """Return the sections, those with sealed samples marked."""
        sealed = await self._store.seals.find_sealed_tasks({section.task for section in sections})
        return tuple(replace(section, sealed=section.task in sealed) for section in sections)

    async def require_open(self, name: str) -> RoundRecord:
        """Return an open round; raise NotFound or FailedPrecondition if there is none of this name."""
        record = await find_round(self._store, name, field="spec.round")
        if record.state == CLOSED:
            raise FailedPrecondition(
                f"the round {name} is closed and its samples are published; a run can use an open round only",
                field="spec.round",
            )
        if record.state != OPEN or not record.commitment:
            raise FailedPrecondition(
                f"the round {name} has no commitment yet; try again when it is open", field="spec.round"
            )
        return record

    async def _load_tasks(self, record: RoundRecord) -> dict[str, Task]:
        tasks: dict[str, Task] = {}
        for drawn in record.tasks:
            if task := await self._store.tasks.get(f"{drawn.task}@{record.name}"):
                tasks |= {task.name: task, task_reference(task): task}
        return tasks

    async def _check_not_open(self, tasks: Iterable[Task]) -> None:
        for task in tasks:
            if not task.round:
                continue
            record = await self._store.rounds.get(task.round)
            if record is None or record.state != CLOSED:
                raise FailedPrecondition(
                    f"{task_reference(task)} are the samples of an open round; name the round in the run",
                    field="spec.tasks",
                )


async def find_round(store: Store, name: str, *, field: str) -> RoundRecord:
    """Return a round; raise NotFound with the nearest names for an unknown one."""
    record = await store.rounds.get(name)
    if record is None:
        names = [each.name for each in await store.rounds.list(limit=MAX_NAMES)]
        raise NotFound.named("round", name, names, field=field)
    return record
