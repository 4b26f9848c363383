"""The real servers that tests run against: one of each per worker of pytest-xdist, started at their first use."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator

import nats
import pytest
from motor.motor_asyncio import AsyncIOMotorClient
from ulid import ULID

from libra.local.servers import MongoServer, NatsServer
from libra.store.client import Store


def pytest_configure() -> None:
    """Hide the info lines of gRPC's core, here and in the processes that tests start; its errors stay visible.

    It writes one to stderr whenever a server stops or a process forks. gRPC reads the variable when it is imported.
    """
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")  # noqa: TID251 - not a setting of Libra


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


@pytest.fixture
async def database(mongo_server: MongoServer) -> AsyncIterator[str]:
    """The name of a new database, which is dropped after the test."""
    name = f"test-{ULID()}"
    yield name
    client: AsyncIOMotorClient[dict[str, object]] = AsyncIOMotorClient(mongo_server.url, journal=True)
    async with asyncio.timeout(30):
        await client.drop_database(name)
    client.close()


@pytest.fixture
async def store(mongo_server: MongoServer, database: str) -> AsyncIterator[Store]:
    """A store on a new database, with its indexes."""
    opened = Store.connect(mongo_server.url, database, bucket=0)
    await opened.ensure_indexes()
    yield opened
    await opened.close()
