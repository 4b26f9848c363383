"""Each test that requests `connect` runs twice: on a real mongod, and on the store in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from libra.local.servers import MongoServer
from libra.store.client import Store
from libra.testing.memory import MemoryServer, MemoryStore

from .any_store import AnyStore, Connect


@pytest.fixture(params=["memory", "mongo"])
async def connect(request: pytest.FixtureRequest) -> AsyncIterator[Connect]:
    """Return a function that connects a writer with its bucket to one shared empty store."""
    opened: list[AnyStore] = []
    if request.param == "memory":
        server = MemoryServer()

        def connect_writer(bucket: int) -> AnyStore:
            opened.append(MemoryStore(server, bucket=bucket))
            return opened[-1]
    else:
        # Requested by name, so that the store in memory needs no mongod.
        mongo: MongoServer = request.getfixturevalue("mongo_server")
        database: str = request.getfixturevalue("database")

        def connect_writer(bucket: int) -> AnyStore:
            opened.append(Store.connect(mongo.url, database, bucket=bucket))
            return opened[-1]

    await connect_writer(0).ensure_indexes()
    yield connect_writer
    for each in opened:
        await each.close()
