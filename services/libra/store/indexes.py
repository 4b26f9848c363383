"""Declares every collection and every index as data. All other queries use the `_id`."""

from __future__ import annotations

import asyncio

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.errors import OperationFailure

from libra.store.error_translation import Database

TASKS = "tasks"
SAMPLES = "samples"
MODELS = "models"
ADJUSTMENTS = "adjustments"
MODEL_HEALTH = "model_health"
PARKED_MODELS = "parked_models"
RUNS = "runs"
COMPLETIONS = "completions"
VERDICTS = "verdicts"
CELLS = "cells"
CALIBRATIONS = "calibrations"
CAPABILITIES = "capabilities"
LABELS = "labels"
ANNOTATIONS = "annotations"
SAMPLE_SUMS = "sample_sums"
SCHEMA = "schema"
SECRETS = "secrets"
KEY_HOSTS = "key_hosts"
HEARTBEATS = "heartbeats"
LEASE_HOLDERS = "lease_holders"
LEASES = "leases"
BUDGETS = "budgets"
CEILINGS = "ceilings"
SCHEDULES = "schedules"
FIRINGS = "firings"
EVENTS = "events"
WEBHOOKS = "webhooks"
DELIVERIES = "deliveries"
ROUNDS = "rounds"
ROUND_SAMPLES = "round_samples"
SEALED_LOOKS = "sealed_looks"
TOKENS = "tokens"
AUDIT_LOG = "audit_log"
BATTLES = "battles"
VOTES = "votes"
ENTRIES = "entries"
QUARANTINE = "quarantine"
PROPOSALS = "proposals"
ARENA_USAGE = "arena_usage"

WRITE_CHECK = "write_check"
"""The id of the heartbeat that services overwrite every 10 seconds while they run."""

HEALTH_SECONDS = 86_400
"""A gateway's report about a model is deleted after a day."""

DELIVERY_SECONDS = 30 * 86_400
"""Events and deliveries are kept for 30 days, as dead letters are."""

USAGE_SECONDS = 2 * 3600
"""The hour that a counter is for, and one more."""

NAMESPACE_EXISTS = 48
"""The error code for the second of two processes that create a collection at the same time."""


def declared() -> dict[str, list[IndexModel]]:
    """Return the indexes of each collection, by its name.

    Verdicts and completions have only `_id`: most writes go to these two collections.
    """
    return {
        TASKS: [IndexModel([("name", ASCENDING), ("create_time", DESCENDING)], name="versions")],
        SAMPLES: [],
        MODELS: [],
        ADJUSTMENTS: [],
        MODEL_HEALTH: [IndexModel([("time", ASCENDING)], name="expiry", expireAfterSeconds=HEALTH_SECONDS)],
        PARKED_MODELS: [IndexModel([("touch_time", ASCENDING)], name="expiry", expireAfterSeconds=HEALTH_SECONDS)],
        RUNS: [
            IndexModel([("request_id", ASCENDING)], name="request", unique=True, sparse=True),
            IndexModel([("run.state", ASCENDING), ("_id", ASCENDING)], name="state"),
            IndexModel([("unannounced", ASCENDING)], name="unannounced", sparse=True),
            IndexModel([("run.spec.round", ASCENDING)], name="round", sparse=True),
        ],
        COMPLETIONS: [],
        CAPABILITIES: [IndexModel([("create_time", DESCENDING)], name="newest")],
        VERDICTS: [],
        CELLS: [IndexModel([("run", ASCENDING), ("judging", ASCENDING)], name="run")],
        CALIBRATIONS: [IndexModel([("create_time", DESCENDING)], name="newest")],
        LABELS: [IndexModel([("create_time", DESCENDING)], name="newest")],
        ANNOTATIONS: [
            IndexModel([("verdict", ASCENDING), ("_id", ASCENDING)], name="verdict"),
            IndexModel([("request_id", ASCENDING)], name="request", unique=True, sparse=True),
        ],
        SAMPLE_SUMS: [],
        SCHEMA: [],
        SECRETS: [],
        KEY_HOSTS: [],
        HEARTBEATS: [],
        LEASE_HOLDERS: [],
        LEASES: [],
        BUDGETS: [],
        CEILINGS: [],
        TOKENS: [IndexModel([("name", ASCENDING)], name="name", unique=True)],
        AUDIT_LOG: [],
        **_continuous_evaluation(),
        **_arena(),
    }


def _continuous_evaluation() -> dict[str, list[IndexModel]]:
    """Return the indexes of rounds, schedules and webhooks."""
    return {
        SCHEDULES: [IndexModel([("schedule.next_time", ASCENDING)], name="next_time")],
        FIRINGS: [
            IndexModel([("state", ASCENDING), ("time", ASCENDING), ("_id", ASCENDING)], name="state"),
            IndexModel([("time", DESCENDING), ("_id", DESCENDING)], name="newest"),
            IndexModel([("schedule", ASCENDING), ("time", DESCENDING), ("_id", DESCENDING)], name="schedule"),
            IndexModel([("unannounced", ASCENDING)], name="unannounced", sparse=True),
        ],
        EVENTS: [
            IndexModel([("pending", ASCENDING)], name="pending", sparse=True),
            IndexModel([("create_time", ASCENDING)], name="expiry", expireAfterSeconds=DELIVERY_SECONDS),
        ],
        WEBHOOKS: [],
        DELIVERIES: [
            IndexModel([("state", ASCENDING), ("next_time", ASCENDING)], name="due"),
            IndexModel([("create_time", ASCENDING)], name="expiry", expireAfterSeconds=DELIVERY_SECONDS),
        ],
        ROUNDS: [
            IndexModel([("open_time", DESCENDING), ("_id", DESCENDING)], name="newest"),
            # Two rounds cannot carry over the anchors of the same round.
            IndexModel([("follows", ASCENDING)], name="follows", unique=True, sparse=True),
        ],
        ROUND_SAMPLES: [IndexModel([("content", ASCENDING)], name="content")],
        SEALED_LOOKS: [IndexModel([("round", ASCENDING), ("_id", DESCENDING)], name="round")],
    }


def _arena() -> dict[str, list[IndexModel]]:
    """Return the indexes of the arena. A vote has the id of its battle, so that a battle has at most one."""
    return {
        BATTLES: [
            IndexModel([("replaces", ASCENDING)], name="replaces", unique=True, sparse=True),
            IndexModel([("state", ASCENDING)], name="state"),
        ],
        VOTES: [
            IndexModel([("create_time", ASCENDING), ("_id", ASCENDING)], name="time"),
            IndexModel([("voter", ASCENDING), ("create_time", ASCENDING), ("_id", ASCENDING)], name="voter"),
        ],
        ENTRIES: [],
        QUARANTINE: [IndexModel([("create_time", DESCENDING)], name="newest")],
        PROPOSALS: [IndexModel([("create_time", DESCENDING)], name="newest")],
        ARENA_USAGE: [IndexModel([("hour", ASCENDING)], name="expiry", expireAfterSeconds=USAGE_SECONDS)],
    }


async def ensure(database: Database) -> None:
    """Create the collections and indexes that are missing. Several processes may call it at the same time."""
    existing = set(await database.list_collection_names())
    await asyncio.gather(*(_ensure(database, name, models, existing) for name, models in declared().items()))


async def _ensure(database: Database, name: str, models: list[IndexModel], existing: set[str]) -> None:
    if models:
        await database[name].create_indexes(models)  # creates the collection too
    elif name not in existing:
        await _create(database, name)


async def _create(database: Database, name: str) -> None:
    try:
        await database.create_collection(name, check_exists=False)
    except OperationFailure as error:
        if error.code != NAMESPACE_EXISTS:
            raise
