"""Stores the requests and tokens of judge models for each cell, beside the sums that scores depend on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

from libra.store import indexes
from libra.store.error_translation import Database, ErrorTranslator
from libra.v1.batch_pb2 import JudgeUsage

FIELD = "judge_usage"
COUNTS = ("requests", "prompt_tokens", "completion_tokens", "unknown_usage")

SectionKey = tuple[str, str, str]
"""The model under test, the task as "name@version", and the attack."""


@dataclass(slots=True)
class JudgeUsageSums:
    """The usage for some trials, by judge model."""

    trials: int = 0
    """The trials that were judged, also those for which no model was asked."""

    models: dict[str, JudgeUsage] = field(default_factory=dict)

    def add(self, trials: int, usage: Iterable[JudgeUsage]) -> None:
        """Add the usage for more trials."""
        self.trials += trials
        for each in usage:
            total = self.models.setdefault(each.model, JudgeUsage(model=each.model))
            for name in COUNTS:
                setattr(total, name, getattr(total, name) + getattr(each, name))

    @property
    def is_known(self) -> bool:
        """Whether the providers counted the tokens of every reply."""
        return self.trials > 0 and not any(each.unknown_usage for each in self.models.values())

    def to_increments(self) -> dict[str, int]:
        """Return what a cell's document is incremented by: the sums by the paths of their fields."""
        if not self.trials:
            return {}
        return {f"{FIELD}.trials": self.trials} | {
            f"{FIELD}.models.{_to_key(model)}.{name}": value
            for model, usage in self.models.items()
            for name in COUNTS
            if (value := getattr(usage, name))
        }


class JudgeUsageReader:
    """Reads the usage of judge models. Only `VerdictCollection.write` adds to it."""

    def __init__(self, database: Database, translate_errors: ErrorTranslator) -> None:
        self._cells = database[indexes.CELLS]
        self._translate_errors = translate_errors

    async def load(self, run: str, tasks: Collection[str]) -> dict[SectionKey, JudgeUsageSums]:
        """Return the usage of a run for these tasks, "name@version"; cells without one are left out."""
        query = {"run": run, "judging": 0, "task": {"$in": list(tasks)}, FIELD: {"$exists": True}}
        fields = {"model": 1, "task": 1, "attack": 1, FIELD: 1}
        sums: dict[SectionKey, JudgeUsageSums] = {}
        with self._translate_errors():
            async for bucket in self._cells.find(query, fields):
                key = (bucket["model"], bucket["task"], bucket["attack"])
                stored: Mapping[str, Any] = bucket[FIELD]
                sums.setdefault(key, JudgeUsageSums()).add(stored["trials"], _from_models(stored.get("models", {})))
        return sums


def _from_models(stored: Mapping[str, Mapping[str, int]]) -> Iterable[JudgeUsage]:
    return (JudgeUsage(model=unquote(key), **counts) for key, counts in stored.items())


def _to_key(model: str) -> str:
    """Return the model as the name of a field: MongoDB reads a "." as a path, and a "$" as an operator."""
    return quote(model, safe="").replace(".", "%2E")
