"""Suggests prompts from the samples of tasks. Sealed samples are never suggested."""

from __future__ import annotations

import random
from collections.abc import Sequence

from libra.core.errors import Invalid, NotFound
from libra.store.client import Store
from libra.v1.arena_pb2 import SuggestedPrompt
from libra.v1.task_pb2 import Sample, Task

DEFAULT_COUNT, MAX_COUNT = 4, 20
MAX_TASKS = 500
ATTEMPTS = 3
"""Samples that are looked at for each suggestion: conversations of several turns are passed over."""

SEPARATOR = "/"


class Suggestions:
    """Draws samples at random."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._random = random.Random()  # noqa: S311 - suggestions need no cryptographic randomness

    async def draw(self, count: int, category: int) -> list[SuggestedPrompt]:
        """Return up to `count` prompts of different samples; of one category, unless it is 0. Raises Invalid."""
        if not 0 <= count <= MAX_COUNT:
            raise Invalid(f"the count must be from 1 to {MAX_COUNT}, not {count}", field="count")
        tasks = await self._open_tasks(category)
        found: dict[str, SuggestedPrompt] = {}
        wanted = count or DEFAULT_COUNT
        for _ in range(ATTEMPTS * wanted if tasks else 0):
            task = self._random.choice(tasks)
            ordinal = self._random.randrange(task.sample_count)
            suggestion = await self._suggestion(task, ordinal)
            if suggestion is not None:
                found[suggestion.id] = suggestion
            if len(found) == wanted:
                break
        return list(found.values())

    async def get(self, suggestion: str) -> SuggestedPrompt:
        """Return a suggestion by its id. Raises NotFound."""
        ref, _, ordinal = suggestion.rpartition(SEPARATOR)
        task = await self._store.tasks.get(ref) if ref and ordinal.isdecimal() else None
        if task is not None and int(ordinal) < task.sample_count:
            found = await self._suggestion(task, int(ordinal))
            if found is not None:
                return found
        raise NotFound(f"there is no suggestion {suggestion!r}; ask for new ones", field="suggestion")

    async def _open_tasks(self, category: int) -> Sequence[Task]:
        tasks = await self._store.tasks.list(limit=MAX_TASKS, category=category or None)
        sealed = await self._store.seals.find_sealed_tasks(_ref(task) for task in tasks)
        return [task for task in tasks if task.sample_count and _ref(task) not in sealed]

    async def _suggestion(self, task: Task, ordinal: int) -> SuggestedPrompt | None:
        ref = _ref(task)
        if await self._store.seals.find_sealed_tasks([ref]):
            return None
        [sample] = await self._store.tasks.get_samples(ref, [ordinal])
        prompt = _prompt_of(sample)
        if not prompt:
            return None
        return SuggestedPrompt(id=f"{ref}{SEPARATOR}{ordinal}", prompt=prompt, task=ref, category=task.category)


def _ref(task: Task) -> str:
    return f"{task.name}@{task.version}"


def _prompt_of(sample: Sample) -> str:
    """Return the text of a sample of one turn; "" for others."""
    turns = [turn for turn in sample.messages if turn.content]
    return turns[0].content if len(turns) == 1 and turns[0].role == "user" else ""
