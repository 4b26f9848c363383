"""Declares every collection and every index as data. All other queries use the `_id`."""

from __future__ import annotations

import asyncio

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.errors import OperationFailure

from libra.store.error_translation import Database

TASKS = "tasks"
SAMPLES = "samples"
MODELS = "models"
RUNS = "runs"
COMPLETIONS = "completions"
VERDICTS = "verdicts"
CELLS = "cells"
CALIBRATIONS = "calibrations"
CAPABILITIES = "capabilities"
SAMPLE_SUMS = "sample_sums"
SECRETS = "secrets"

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
        RUNS: [
            IndexModel([("request_id", ASCENDING)], name="request", unique=True, sparse=True),
            IndexModel([("run.state", ASCENDING), ("_id", ASCENDING)], name="state"),
        ],
        COMPLETIONS: [],
        CAPABILITIES: [IndexModel([("create_time", DESCENDING)], name="newest")],
        VERDICTS: [],
        CELLS: [IndexModel([("run", ASCENDING), ("judging", ASCENDING)], name="run")],
        CALIBRATIONS: [IndexModel([("create_time", DESCENDING)], name="newest")],
        SAMPLE_SUMS: [],
        SECRETS: [],
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
