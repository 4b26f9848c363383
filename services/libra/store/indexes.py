"""Every collection and every index, as data. The `_id` serves all listings but these."""

from __future__ import annotations

import contextlib

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.errors import CollectionInvalid

from libra.store.door import Database

TASKS = "tasks"
SAMPLES = "samples"
MODELS = "models"
RUNS = "runs"
COMPLETIONS = "completions"
VERDICTS = "verdicts"
CELLS = "cells"


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
        VERDICTS: [],
        CELLS: [IndexModel([("run", ASCENDING), ("judging", ASCENDING)], name="run")],
    }


async def ensure(database: Database) -> None:
    """Create what is missing. A collection that came to be meanwhile is as good as ours."""
    present = set(await database.list_collection_names())
    for name, indexes in declared().items():
        if name not in present:
            with contextlib.suppress(CollectionInvalid):
                await database.create_collection(name)
        if indexes:
            await database[name].create_indexes(indexes)
