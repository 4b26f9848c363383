"""Components over real HTTP and a real mongod."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from prometheus_client import CollectorRegistry

from libra.gateway.components import Components
from libra.local.servers import MongoServer
from libra.store.client import Store
from libra.telemetry.metrics import Metrics

from .endpoint import FAST, KEY, Endpoint


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    made = Endpoint()
    async with made.provider:
        yield made


@pytest.fixture
async def store(mongo_server: MongoServer, database: str) -> AsyncIterator[Store]:
    """Without its indexes: answers are found by id, and creating indexes would take half the time of these tests."""
    opened = Store.connect(mongo_server.url, database)
    yield opened
    await opened.close()


@pytest.fixture
async def components(store: Store) -> AsyncIterator[Components]:
    made = Components.create(store, Metrics(CollectorRegistry()), FAST, {"TEST_API_KEY": KEY})
    yield made
    await made.close(0)
