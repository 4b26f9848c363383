from __future__ import annotations

import asyncio

from libra.local.servers import MongoServer
from libra.store import indexes
from libra.store.client import Store


async def test_processes_that_start_at_the_same_time_create_every_collection_and_index(
    mongo_server: MongoServer, new_database: str
) -> None:
    stores = [Store.connect(mongo_server.url, new_database) for _ in range(8)]
    await asyncio.gather(*(store.ensure_indexes() for store in stores))
    await stores[0].ensure_indexes()
    assert set(await stores[0]._database.list_collection_names()) == set(indexes.declared())
    for name, models in indexes.declared().items():
        existing = await stores[0]._database[name].index_information()
        assert {index.document["name"] for index in models} | {"_id_"} == set(existing)
    await asyncio.gather(*(store.close() for store in stores))


async def test_replicas_that_start_at_the_same_time_have_the_same_key_of_page_tokens(
    mongo_server: MongoServer, new_database: str
) -> None:
    stores = [Store.connect(mongo_server.url, new_database) for _ in range(8)]
    keys = await asyncio.gather(*(store.load_page_token_key() for store in stores))
    assert len(set(keys)) == 1
    assert len(keys[0]) == 32
    assert await stores[0].load_page_token_key() == keys[0]
    await asyncio.gather(*(store.close() for store in stores))
