"""What answers cost: tokens, dollars and seconds of the completions that a run's verdicts name, added up in mongod."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from libra.store import indexes, trial_ids
from libra.store.error_translation import Database, ErrorTranslator
from libra.store.proto_documents import Document

AT_ONCE = 4
"""Aggregations in mongod at the same time."""

RULES = "rules"
"""What the field attack_form says of a trial that was written without asking a model."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What the trials of one model on one task under one attack took."""

    model: str
    task: str
    """As "name@version"."""

    attack: str
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float
    seconds: float
    """From the last attempt's start to its last byte, added up over the answers."""

    attack_tokens: int
    """Of the models that wrote for the attack, in and out; 0 if none did."""

    attack_cost_usd: float
    attack_seconds: float
    by_rules: int
    """Trials that a model might have written and rules did."""


class CostReader:
    """Reads verdicts and completions; writes nothing."""

    def __init__(self, database: Database, door: ErrorTranslator) -> None:
        self._verdicts = database[indexes.VERDICTS]
        self._door = door

    async def sum_by_attack(self, run: str, places: Iterable[tuple[str, str]]) -> list[Cost]:
        """Return the costs of a run's own judging for each (model, "name@version"), by model, task and attack.

        A completion counts as often as a trial names it, whether it was asked for then or found in the store. Some 15,000
        verdicts take a second.
        """
        turns = asyncio.Semaphore(AT_ONCE)
        found = await asyncio.gather(*(self._of(run, model, task, turns) for model, task in sorted(set(places))))
        return [cost for costs in found for cost in costs]

    async def _of(self, run: str, model: str, task: str, turns: asyncio.Semaphore) -> list[Cost]:
        async with turns:
            with self._door():
                pipeline = _by_attack(trial_ids.verdict_prefix(run, 0, model, task))
                found = [document async for document in self._verdicts.aggregate(pipeline)]
        return [_cost(model, task, document) for document in sorted(found, key=lambda document: document["_id"])]


def _by_attack(prefix: str) -> list[Document]:
    """Return the pipeline that adds up the verdicts whose id begins so, one document an attack."""
    completion = {
        "from": indexes.COMPLETIONS,
        "localField": "completion_id",
        "foreignField": "_id",
        "pipeline": [{"$project": {"usage": 1, "cost_usd": 1, "latency_seconds": 1}}],
        "as": "completion",
    }
    sums = {
        "prompt_tokens": _sum("$completion.usage.prompt_tokens"),
        "completion_tokens": _sum("$completion.usage.completion_tokens"),
        "cost_usd": _sum("$completion.cost_usd"),
        "seconds": _sum("$completion.latency_seconds"),
        **{name: {"$sum": _number(name)} for name in ("attack_tokens", "attack_cost_usd", "attack_seconds")},
        "by_rules": {"$sum": {"$cond": [{"$eq": [_field("attack_form"), RULES]}, 1, 0]}},
    }
    return [
        {"$match": {"_id": {"$gt": prefix, "$lt": trial_ids.after_prefix(prefix)}}},
        {"$project": {"completion_id": 1, "fields": 1}},
        {"$lookup": completion},
        {"$group": {"_id": {"$arrayElemAt": [{"$split": ["$_id", "/"]}, 4]}, **sums}},
    ]


def _sum(path: str) -> Document:
    """Return what adds up a field of the one completion that a verdict has, or has not."""
    return {"$sum": {"$sum": path}}


def _number(field: str) -> Document:
    """Return what reads a field of the sample as a number: 0 if it is not there, or is none."""
    return {"$convert": {"input": _field(field), "to": "double", "onError": 0.0, "onNull": 0.0}}


def _field(name: str) -> Document:
    """Return what finds a field by its name: the fields are a list of pairs (see documents)."""
    mine = {"$filter": {"input": {"$ifNull": ["$fields", []]}, "cond": {"$eq": [{"$first": "$$this"}, name]}}}
    return {"$last": {"$first": mine}}


def _cost(model: str, task: str, document: dict[str, Any]) -> Cost:
    return Cost(
        model=model,
        task=task,
        attack=document["_id"],
        prompt_tokens=int(document["prompt_tokens"]),
        completion_tokens=int(document["completion_tokens"]),
        cost_usd=float(document["cost_usd"]),
        seconds=float(document["seconds"]),
        attack_tokens=round(document["attack_tokens"]),
        attack_cost_usd=float(document["attack_cost_usd"]),
        attack_seconds=float(document["attack_seconds"]),
        by_rules=int(document["by_rules"]),
    )
