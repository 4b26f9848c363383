"""Loads the values by which the samples of tasks are grouped."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from libra.core.errors import Invalid, unknown
from libra.core.taxonomy.releases import TAXONOMY_NAMES
from libra.core.taxonomy.tags import TaskTags, tags_of_task
from libra.ranking.board.grouping import LANGUAGE, RESPONSE, RISK, SampleValues
from libra.store.client import Store
from libra.v1.task_pb2 import Task

MAX_CONCURRENT_READS = 8
SHOWN_SAMPLES = 10
"""The samples of a task whose fields are named in an error."""


class SampleValueLoader:
    """Loads languages, risks, tags of taxonomies, and fields of samples from the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._limit = asyncio.Semaphore(MAX_CONCURRENT_READS)

    async def load(self, field: str, ordinals: Mapping[str, set[int]]) -> dict[str, SampleValues]:
        """Return the values of the samples with these ordinals, by task. Raises Invalid if no sample has the field."""
        tasks = sorted(ordinals)
        found = await asyncio.gather(*(self._load_task(field, task, sorted(ordinals[task])) for task in tasks))
        is_field = field not in (LANGUAGE, RISK, *TAXONOMY_NAMES)
        if tasks and is_field and not any(each.by_ordinal for each in found):
            if sealed := await self._store.seals.find_sealed_tasks(tasks):
                raise Invalid(
                    f"the samples of {', '.join(sorted(sealed))} are sealed or lack the field {field!r}; group by "
                    f"{', '.join((LANGUAGE, RISK, RESPONSE, *TAXONOMY_NAMES))}",
                    field="by",
                )
            raise Invalid(unknown("field of the samples", field, await self._list_fields(tasks)), field="by")
        return dict(zip(tasks, found, strict=True))

    async def _load_task(self, field: str, task: str, ordinals: Sequence[int]) -> SampleValues:
        async with self._limit:
            card = await self._store.tasks.get(task)
            if field in TAXONOMY_NAMES:
                return await self._load_tags(field, task, card, ordinals)
            if card is None:
                return SampleValues()
            if field == RISK:
                return SampleValues((card.risk,))
            sealed = (await self._store.seals.find_sealed({task: ordinals})).get(task, set())
            shown = [ordinal for ordinal in ordinals if ordinal not in sealed]
            own = await self._store.tasks.get_field_values(task, shown, field)
            default = ", ".join(card.languages) if field == LANGUAGE else ""
            return SampleValues((default,), {ordinal: (value,) for ordinal, value in own.items()})

    async def _load_tags(self, taxonomy: str, task: str, card: Task | None, ordinals: Sequence[int]) -> SampleValues:
        name = task.partition("@")[0]
        tags = tags_of_task(taxonomy, name, card.risk if card else "", card.tags if card else ())
        labels: dict[int, str] = {}
        for field in reversed(tags.fields if card else ()):
            labels |= await self._store.tasks.get_field_values(task, ordinals, field)
        return _tag_samples(tags, labels)

    async def _list_fields(self, tasks: Iterable[str]) -> list[str]:
        """Return the fields of the first samples of the tasks."""
        fields = {LANGUAGE, RISK, RESPONSE, *TAXONOMY_NAMES}
        for task in tasks:
            if await self._store.tasks.get(task):
                for sample in await self._store.tasks.list_samples(task, limit=SHOWN_SAMPLES):
                    fields.update(sample.fields)
        return sorted(fields)


def _tag_samples(tags: TaskTags, labels: Mapping[int, str]) -> SampleValues:
    """Return the tags of samples with these labels; equal labels are looked up once."""
    by_label = {label: tags.of_sample(label) for label in set(labels.values())}
    found = {ordinal: by_label[label] for ordinal, label in labels.items()}
    return SampleValues(
        tags.common.ids,
        {ordinal: each.ids for ordinal, each in found.items()},
        tags.common.reason,
        {ordinal: each.reason for ordinal, each in found.items() if not each.ids},
    )
