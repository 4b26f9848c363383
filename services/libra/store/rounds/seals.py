"""Decide which samples are sealed: the one place that every reply about samples asks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Protocol

from libra.commitment.samples import content_hash
from libra.v1.task_pb2 import Sample, Task


class TaskReader(Protocol):
    """Reads the tasks for the decision whether a sample is sealed."""

    async def get(self, ref: str) -> Task | None:
        """Return a task."""
        ...

    async def get_samples(self, ref: str, ordinals: list[int]) -> list[Sample]:
        """Return samples of a task."""
        ...


class RoundReader(Protocol):
    """Reads the rounds for the decision whether a sample is sealed."""

    async def list_task_names(self) -> set[str]:
        """Return the names of all tasks that a round has drawn from."""
        ...


class ReleaseReader(Protocol):
    """Reads the samples of rounds for the decision whether a sample is sealed."""

    async def find_released(self, contents: Iterable[str]) -> set[str]:
        """Return those of the contents that are published."""
        ...

    async def find_released_ordinals(self, round_name: str, task: str, ordinals: Collection[int]) -> set[int]:
        """Return those of the ordinals of a task of a round that are published."""
        ...


class SealReader:
    """Tells sealed samples from others.

    From the first round on that draws from a task, every sample of the task is sealed until it is published, also those
    that no round has drawn yet: a list without the drawn ones would tell which they are, and the others are the pool of
    later rounds. This holds for every version of the task, and for runs that belong to no round.
    """

    def __init__(self, tasks: TaskReader, rounds: RoundReader, samples: ReleaseReader) -> None:
        self._tasks, self._rounds, self._samples = tasks, rounds, samples

    async def find_sealed_tasks(self, refs: Iterable[str]) -> set[str]:
        """Return those of the tasks ("name@version") that may have sealed samples."""
        names = await self._rounds.list_task_names()
        return {ref for ref in refs if ref.partition("@")[0] in names}

    async def has_rounds(self) -> bool:
        """Return whether there is any round."""
        return bool(await self._rounds.list_task_names())

    async def find_sealed(self, ordinals: Mapping[str, Collection[int]]) -> dict[str, set[int]]:
        """Return the sealed samples among these: ordinals by task, "name@version"."""
        suspects = await self.find_sealed_tasks(ordinals)
        return {ref: await self._find_in_task(ref, sorted(set(ordinals[ref]))) for ref in sorted(suspects)}

    async def _find_in_task(self, ref: str, ordinals: list[int]) -> set[int]:
        task = await self._tasks.get(ref)
        if task is None:  # its samples were deleted, so nothing tells whether they are published
            return set(ordinals)
        if task.round:
            return set(ordinals) - await self._samples.find_released_ordinals(task.round, task.name, ordinals)
        contents = {sample.ordinal: content_hash(sample) for sample in await self._tasks.get_samples(ref, ordinals)}
        released = await self._samples.find_released(contents.values())
        return {ordinal for ordinal, content in contents.items() if content not in released}
