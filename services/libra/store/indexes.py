"""Every collection and every index, as data. The `_id` serves all listings but these."""

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

COLLECTION_EXISTS = 48
"""NamespaceExists: what mongod says to the second of two processes that create a collection at the same time."""


def declared() -> dict[str, list[IndexModel]]:
    """Return the indexes of each collection. Verdicts and completions have none but `_id`: they are written most."""
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
    }


async def ensure(database: Database) -> None:
    """Create what is missing. A collection that came to be meanwhile is as good as ours."""
    present = set(await database.list_collection_names())
    await asyncio.gather(*(_ensure(database, name, wanted, present) for name, wanted in declared().items()))


async def _ensure(database: Database, name: str, wanted: list[IndexModel], present: set[str]) -> None:
    if wanted:
        await database[name].create_indexes(wanted)  # makes the collection too
    elif name not in present:
        await _create(database, name)


async def _create(database: Database, name: str) -> None:
    try:
        await database.create_collection(name, check_exists=False)
    except OperationFailure as error:
        if error.code != COLLECTION_EXISTS:
            raise
