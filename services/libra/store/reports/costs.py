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
        store. Of mongod's time, 8,000 verdicts take a third of a second.
        """
        limit = asyncio.Semaphore(MAX_CONCURRENT_AGGREGATIONS)
        pairs = sorted(set(models_and_tasks))
        found = await asyncio.gather(*(self._sum(run, model, task, limit) for model, task in pairs))
        return [cost for costs in found for cost in costs]

    async def _sum(self, run: str, model: str, task: str, limit: asyncio.Semaphore) -> list[Cost]:
        async with limit:
            with self._translate_errors():
                pipeline = _sum_by_attack(trial_ids.verdict_prefix(run, 0, model, task))
                found = await self._verdicts.aggregate(pipeline).to_list(None)
        return [_cost_from_document(model, task, document) for document in sorted(found, key=lambda each: each["_id"])]


ATTACK_FIELDS = ("attack_tokens", "attack_cost_usd", "attack_seconds", "attack_form", "attack_usage", "attack_price")
"""The fields of a verdict that say what its attack took."""

TRIAL_SUMS = ("attack_tokens", "attack_cost_usd", "attack_seconds", "by_rules")
ANSWER_SUMS = ("prompt_tokens", "completion_tokens", "cost_usd", "seconds")

PART_DIGITS = 5
"""The trials of a cell are divided by these first digits of sample and epoch, so that no document of the pipeline names
more than 10,000 completions."""

PART_EPOCH_DIGITS = 3


def _sum_by_attack(prefix: str) -> list[Document]:
    """Return the pipeline that sums the verdicts whose id has this prefix, with one document for each attack.

    Completions are looked up by the thousand, which takes a quarter of the time of one lookup for each verdict. Those
    that several verdicts name are looked up apart, by the number of verdicts.
    """
    return [
        {"$match": {"_id": {"$gt": prefix, "$lt": trial_ids.after_prefix(prefix)}}},
        {"$project": {"completion_id": 1, "id": {"$split": ["$_id", "/"]}, "fields": _attack_fields()}},
        _group_by_completion(),
        _group_by_count(),
        {"$lookup": _lookup_answers()},
        _group_by_attack(),
    ]


def _group_by_completion() -> Document:
    part = {
        "sample": {"$substrBytes": [{"$arrayElemAt": ["$id", 5]}, 0, PART_DIGITS]},
        "epoch": {"$substrBytes": [{"$arrayElemAt": ["$id", 6]}, 0, PART_EPOCH_DIGITS]},
    }
    key = {
        "attack": {"$arrayElemAt": ["$id", 4]},
        "part": part,
        "completion": "$completion_id",
        "unknown_usage": {"$eq": [_sample_field("attack_usage"), "unknown"]},
        "unknown_price": {"$eq": [_sample_field("attack_price"), "unknown"]},
    }
    numbers = {name: {"$sum": _sample_number(name)} for name in TRIAL_SUMS[:3]}
    by_rules = {"$sum": {"$cond": [{"$eq": [_sample_field("attack_form"), RULES]}, 1, 0]}}
    return {"$group": {"_id": key, "trials": {"$sum": 1}, **numbers, "by_rules": by_rules}}


def _group_by_count() -> Document:
    """Return the stage that collects the completions that the same number of verdicts name."""
    key: Document = {name: f"$_id.{name}" for name in ("attack", "part", "unknown_usage", "unknown_price")}
    sums = {name: {"$sum": f"${name}"} for name in ("trials", *TRIAL_SUMS)}
    return {"$group": {"_id": key | {"count": "$trials"}, "completions": {"$push": "$_id.completion"}, **sums}}


def _lookup_answers() -> Document:
    """Return the lookup that sums the completions of a document."""
    sums = {
        "prompt_tokens": {"$sum": "$usage.prompt_tokens"},
        "completion_tokens": {"$sum": "$usage.completion_tokens"},
        "cost_usd": {"$sum": "$cost_usd"},
        "seconds": {"$sum": "$latency_seconds"},
        "unknown_usage": {"$sum": {"$cond": [{"$eq": ["$usage_unknown", True]}, 1, 0]}},
        "unknown_price": {"$sum": {"$cond": [{"$eq": ["$price_unknown", True]}, 1, 0]}},
    }
    return {
        "from": indexes.COMPLETIONS,
        "localField": "completions",
        "foreignField": "_id",
        "pipeline": [{"$group": {"_id": None, **sums}}],
        "as": "answers",
    }


def _group_by_attack() -> Document:
    def of_answers(name: str) -> Document:
        return {"$multiply": ["$_id.count", {"$sum": f"$answers.{name}"}]}

    # A trial of which the attack is unknown counts once, whether its answer is unknown too or not.
    unknown = {
        name: {"$sum": {"$cond": [f"$_id.{name}", "$trials", of_answers(name)]}}
        for name in ("unknown_usage", "unknown_price")
    }
    sums = {name: {"$sum": of_answers(name)} for name in ANSWER_SUMS} | {
        name: {"$sum": f"${name}"} for name in TRIAL_SUMS
    }
    return {"$group": {"_id": "$_id.attack", **sums, **unknown}}


def _attack_fields() -> Document:
    """Return the expression that selects the fields of the attack: they are read several times, the others never."""
    is_of_attack = {"$in": [{"$first": "$$this"}, list(ATTACK_FIELDS)]}
    return {"$filter": {"input": {"$ifNull": ["$fields", []]}, "cond": is_of_attack}}


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
