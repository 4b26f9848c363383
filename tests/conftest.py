"""The real servers that tests run against: one of each per worker of pytest-xdist, started at their first use."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator

import hypothesis
import nats
import pytest
from pymongo import MongoClient
from ulid import ULID

from libra.local.servers import MongoServer, NatsServer
from libra.store.client import Store
from libra.store.indexes import declared

FEW_DOCUMENTS = 5_000
"""Dropping a collection and creating it again is faster than deleting more."""


def pytest_configure() -> None:
    """Hide the info lines of gRPC's core, here and in the processes that tests start, and set up Hypothesis.

    gRPC writes an info line to stderr whenever a server stops or a process forks; its errors stay visible. It reads the
    variable when it is imported.
    """
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")  # noqa: TID251 - not a setting of Libra
    # Hypothesis' limit of 200 ms for an example fails on a busy machine; tests of speed have limits of their own.
    hypothesis.settings.register_profile("libra", deadline=None)
    hypothesis.settings.load_profile("libra")


@pytest.fixture(scope="session")
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """A nats-server for all tests of a worker: leave it running and unchanged."""
    server = NatsServer.start(tmp_path_factory.mktemp("nats"))
    yield server
    server.stop()


@pytest.fixture
async def nats_url(nats_server: NatsServer) -> str:
    """The URL of the nats-server, after all its streams were deleted."""
    client = await nats.connect(nats_server.url)
    try:
        jetstream = client.jetstream()
        for stream in await jetstream.streams_info():
            await jetstream.delete_stream(str(stream.config.name))
    finally:
        await client.close()
    return nats_server.url


@pytest.fixture(scope="session")
def mongo_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoServer]:
    """A mongod for all tests of a worker: leave it running and unchanged."""
    server = MongoServer.start(tmp_path_factory.mktemp("mongo"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def mongo_client(mongo_server: MongoServer) -> Iterator[MongoClient[dict[str, object]]]:
    """A blocking client of the mongod, for fixtures."""
    client: MongoClient[dict[str, object]] = MongoClient(mongo_server.url)
    yield client
    client.close()


@pytest.fixture
def database(mongo_client: MongoClient[dict[str, object]]) -> str:
    """The name of an empty database. Its indexes stay from test to test: creating them takes mongod half a second."""
    emptied = mongo_client["test"]
    for name in emptied.list_collection_names():
        if name not in declared() or emptied[name].estimated_document_count() > FEW_DOCUMENTS:
            emptied.drop_collection(name)
        else:
            emptied[name].delete_many({})
    return emptied.name


@pytest.fixture
def new_database(mongo_client: MongoClient[dict[str, object]]) -> Iterator[str]:
    """The name of a database that does not exist yet, for tests of how its collections are created."""
    name = f"test-{ULID()}"
    yield name
    mongo_client.drop_database(name)


@pytest.fixture
async def store(mongo_server: MongoServer, database: str) -> AsyncIterator[Store]:
    """A store on an empty database, with its indexes."""
    opened = Store.connect(mongo_server.url, database, bucket=0)
    await opened.ensure_indexes()
    yield opened
    await opened.close()
