from __future__ import annotations

import asyncio

from libra.local.servers import MongoServer
from libra.store import indexes
from libra.store.client import Store


async def test_processes_that_start_at_the_same_time_create_every_collection_and_index(
    mongo_server: MongoServer, database: str
) -> None:
    stores = [Store.connect(mongo_server.url, database) for _ in range(8)]
    await asyncio.gather(*(store.ensure_indexes() for store in stores))
    await stores[0].ensure_indexes()
    assert set(await stores[0]._database.list_collection_names()) == set(indexes.declared())
    for name, models in indexes.declared().items():
        existing = await stores[0]._database[name].index_information()
        assert {index.document["name"] for index in models} | {"_id_"} == set(existing)
    await asyncio.gather(*(store.close() for store in stores))
