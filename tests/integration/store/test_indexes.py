from __future__ import annotations

import asyncio

from libra.local.servers import MongoServer
from libra.store import indexes
from libra.store.client import Store


async def test_many_processes_that_start_at_once_make_every_collection(
    mongo_server: MongoServer, database: str
) -> None:
    stores = [Store.connect(mongo_server.url, database) for _ in range(8)]
    await asyncio.gather(*(store.ensure_indexes() for store in stores))
    await stores[0].ensure_indexes()
    assert set(await stores[0]._database.list_collection_names()) == set(indexes.declared())
    for name, wanted in indexes.declared().items():
        present = await stores[0]._database[name].index_information()
        assert {index.document["name"] for index in wanted} | {"_id_"} == set(present)
    await asyncio.gather(*(store.close() for store in stores))
