"""Several services start at once on an empty database: whoever comes second finds its collections there."""

from __future__ import annotations

import asyncio

from libra.local.servers import MongoServer
from libra.store.client import Store


async def test_services_that_start_together_on_an_empty_database(mongo_server: MongoServer, database: str) -> None:
    stores = [Store.connect(mongo_server.url, database) for _ in range(6)]
    try:
        await asyncio.gather(*(store.ensure_indexes() for store in stores))
        assert await stores[0].tasks.names() == []
    finally:
        await asyncio.gather(*(store.close() for store in stores))
