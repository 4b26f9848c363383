"""A desk that asks over real HTTP, on a real mongod."""

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
    """Without its indexes: an answer is found by its name, and half of the time of these tests would go into them."""
    opened = Store.connect(mongo_server.url, database)
    yield opened
    await opened.close()


@pytest.fixture
async def desk(store: Store) -> AsyncIterator[Components]:
    made = Components.laid(store, Metrics(CollectorRegistry()), FAST, {"TEST_KEY": KEY})
    yield made
    await made.close(0)
