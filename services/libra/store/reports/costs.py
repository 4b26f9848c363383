"""Sums the tokens, dollars and seconds of the completions that a run's verdicts name. The sums are made in mongod."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from libra.store import indexes
from libra.store.documents import trial_ids
from libra.store.documents.proto_documents import Document, pair_value
from libra.store.error_translation import Database, ErrorTranslator

MAX_CONCURRENT_AGGREGATIONS = 4

RULES = "rules"
"""The value of the field attack_form for a trial whose attack was written without a model."""


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of the trials of one model on one task under one attack."""

    model: str
    task: str
    """As "name@version"."""

    attack: str
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float
    seconds: float
    """From the start of the last attempt to its last byte, added up over the completions."""

    attack_tokens: int
    """Tokens of the models that wrote for the attack, in and out; 0 if none did."""

    attack_cost_usd: float
    attack_seconds: float
    by_rules: int
    """Trials whose attack was written by rules although a model could have written it."""

    unknown_usage: int = 0
    """Trials with an answer whose tokens the provider did not count: tokens and dollars are then lower limits."""

    unknown_price: int = 0
    """Trials with an answer whose price is not known: dollars are then a lower limit."""


class CostReader:
    """Reads verdicts and completions; writes nothing."""

    def __init__(self, database: Database, translate_errors: ErrorTranslator) -> None:
        self._verdicts = database[indexes.VERDICTS]
        self._translate_errors = translate_errors

    async def sum_by_attack(self, run: str, models_and_tasks: Iterable[tuple[str, str]]) -> list[Cost]:
        """Return the costs of a run's own judging for each (model, "name@version"), in order of model, task and attack.

        A completion counts once for each trial that names it, whether it was requested in this run or found in the
        store. About 15,000 verdicts take a second.
        """
        limit = asyncio.Semaphore(MAX_CONCURRENT_AGGREGATIONS)
        pairs = sorted(set(models_and_tasks))
        found = await asyncio.gather(*(self._sum(run, model, task, limit) for model, task in pairs))
        return [cost for costs in found for cost in costs]

    async def _sum(self, run: str, model: str, task: str, limit: asyncio.Semaphore) -> list[Cost]:
        async with limit:
            with self._translate_errors():
                pipeline = _sum_by_attack(trial_ids.verdict_prefix(run, 0, model, task))
                found = [document async for document in self._verdicts.aggregate(pipeline)]
        return [_cost_from_document(model, task, document) for document in sorted(found, key=lambda each: each["_id"])]


def _sum_by_attack(prefix: str) -> list[Document]:
    """Return the pipeline that sums the verdicts whose id has this prefix, with one document for each attack."""
    completion = {
        "from": indexes.COMPLETIONS,
        "localField": "completion_id",
        "foreignField": "_id",
        "pipeline": [
            {"$project": {"usage": 1, "cost_usd": 1, "latency_seconds": 1, "price_unknown": 1, "usage_unknown": 1}}
        ],
        "as": "completion",
    }
    sums = {
        "prompt_tokens": _sum_completions("usage.prompt_tokens"),
        "completion_tokens": _sum_completions("usage.completion_tokens"),
        "cost_usd": _sum_completions("cost_usd"),
        "seconds": _sum_completions("latency_seconds"),
        "unknown_usage": {"$sum": {"$cond": [_has_unknown_usage(), 1, 0]}},
        **{name: {"$sum": _sample_number(name)} for name in ("attack_tokens", "attack_cost_usd", "attack_seconds")},
        "by_rules": {"$sum": {"$cond": [{"$eq": [_sample_field("attack_form"), RULES]}, 1, 0]}},
        "unknown_price": {"$sum": {"$cond": [_has_unknown_price(), 1, 0]}},
    }
    return [
        {"$match": {"_id": {"$gt": prefix, "$lt": trial_ids.after_prefix(prefix)}}},
        {"$project": {"completion_id": 1, "fields": 1}},
        {"$lookup": completion},
        {"$group": {"_id": {"$arrayElemAt": [{"$split": ["$_id", "/"]}, 4]}, **sums}},
    ]


def _has_unknown_price() -> Document:
    """Return the expression that tells whether no price is known for the answer, or for a model of its attack."""
    of_answer = {"$in": [True, "$completion.price_unknown"]}
    return {"$or": [of_answer, {"$eq": [_sample_field("attack_price"), "unknown"]}]}


def _sum_completions(path: str) -> Document:
    """Return the expression that sums a field of the completion that each verdict has, or has not."""
    return {"$sum": {"$sum": f"$completion.{path}"}}


def _has_unknown_usage() -> Document:
    """Return the expression that tells whether a provider did not count the tokens of the answer or of its attack."""
    of_answer = {"$in": [True, "$completion.usage_unknown"]}
    return {"$or": [of_answer, {"$eq": [_sample_field("attack_usage"), "unknown"]}]}


def _sample_number(field: str) -> Document:
    """Return the expression that reads a sample field as a number: 0 if the field is missing or is not a number."""
    return {"$convert": {"input": _sample_field(field), "to": "double", "onError": 0.0, "onNull": 0.0}}


def _sample_field(name: str) -> Document:
    """Return the expression that finds a sample field by name: the fields are pairs (see proto_documents)."""
    return pair_value("fields", name)


def _cost_from_document(model: str, task: str, document: dict[str, Any]) -> Cost:
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
        unknown_usage=int(document["unknown_usage"]),
        by_rules=int(document["by_rules"]),
        unknown_price=int(document["unknown_price"]),
    )
