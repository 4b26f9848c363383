"""Records of lease holders in a real MongoDB."""

from __future__ import annotations

from libra.store import indexes
from libra.store.client import Store
from libra.store.coordination import lease_holders


async def test_a_holder_sees_the_others_of_its_model(store: Store) -> None:
    holders = store.lease_holders
    await holders.add("m", "one")
    await holders.add("m", "one")
    assert not await holders.has_others("m", "one")
    await holders.add("n", "two")
    assert not await holders.has_others("m", "one")
    await holders.add("m", "three")
    assert await holders.has_others("m", "one")
    assert await holders.has_others("m", "three")
    await holders.remove("one")
    assert not await holders.has_others("m", "three")


async def test_only_old_records_of_the_model_are_removed(store: Store) -> None:
    holders, collection = store.lease_holders, store._database[indexes.LEASE_HOLDERS]
    for model, name in (("m", "dead"), ("m", "new"), ("m", "living"), ("n", "other")):
        await holders.add(model, name)
    minutes_ago = {"$subtract": ["$time", 2 * lease_holders.FORGOTTEN_AFTER_MILLISECONDS]}
    await collection.update_many({"_id": {"$ne": "new"}}, [{"$set": {"time": minutes_ago}}])
    await holders.remove_all_except("m", {"living"})
    assert {document["_id"] async for document in collection.find({})} == {"new", "living", "other"}
