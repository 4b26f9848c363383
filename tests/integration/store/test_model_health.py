"""Reports of gateways about models, and parked models, on a real mongod and in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from libra.local.servers import MongoServer
from libra.store.client import Store
from libra.store.models.health import HealthReport
from libra.testing.memory import MemoryServer, MemoryStore
from libra.v1.model_pb2 import MODEL_STATE_PARKED, MODEL_STATE_READY, ModelHealth

AnyStore = Store | MemoryStore


@pytest.fixture(params=["memory", "mongo"])
async def any_store(request: pytest.FixtureRequest) -> AsyncIterator[AnyStore]:
    if request.param == "memory":
        yield MemoryStore(MemoryServer())
        return
    mongo: MongoServer = request.getfixturevalue("mongo_server")  # by name: the store in memory needs no mongod
    opened = Store.connect(mongo.url, request.getfixturevalue("database"), bucket=0)
    yield opened
    await opened.close()


@pytest.fixture
def parked_reason() -> str:
    return "$quota is {gone}"  # neither an expression nor a path


async def test_a_model_is_parked_once_and_keeps_its_first_reason(any_store: AnyStore, parked_reason: str) -> None:
    parked = any_store.parked_models
    assert await parked.list() == {}
    await asyncio.gather(*(parked.park("m", "quota", parked_reason, 60) for _ in range(5)))
    await parked.park("m", "key", "another", 1)
    entry = (await parked.list())["m"]
    assert (entry.cause, entry.reason, entry.probes) == ("quota", parked_reason, 0)
    assert (entry.probe_time - entry.park_time).total_seconds() == pytest.approx(60, abs=0.01)
    await parked.unpark("m")
    assert await parked.list() == {}


async def test_one_of_many_replicas_sends_the_probe_that_is_due(any_store: AnyStore) -> None:
    parked = any_store.parked_models
    await parked.park("m", "key", "no", 60)
    assert not await parked.claim_probe("m", 30)
    await parked.hasten("m")
    claims = await asyncio.gather(*(parked.claim_probe("m", 30) for _ in range(10)))
    assert sum(claims) == 1
    assert (await parked.list())["m"].probes == 1
    await parked.postpone("m", "quota", "$still", 0)
    entry = (await parked.list())["m"]
    assert (entry.cause, entry.reason) == ("quota", "$still")
    assert await parked.claim_probe("m", 30)


async def test_a_model_that_nobody_parked_needs_no_claim(any_store: AnyStore) -> None:
    assert await any_store.parked_models.claim_probe("m", 30)
    await any_store.parked_models.touch("m")
    assert await any_store.parked_models.list() == {}


async def test_the_reports_of_all_replicas_are_merged(any_store: AnyStore) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    health = any_store.model_health
    ready = ModelHealth(state=MODEL_STATE_READY, in_flight=3, error="$old", errors=2)
    parked = ModelHealth(state=MODEL_STATE_PARKED, in_flight=1, error="no quota", errors=5)
    ready.answer_time.FromSeconds(100)
    parked.park_time.FromSeconds(50)
    await health.write([HealthReport("m", "one", ready, now, {"run.$1": 4})])
    await health.write([HealthReport("m", "two", parked, now, {"run.$1": 3, "other": 1})])
    await health.write([HealthReport("n", "one", ready)])
    found = await health.list({"m"})
    assert set(found) == {"m"}
    merged = found["m"].health
    assert (merged.state, merged.in_flight, merged.error) == (MODEL_STATE_PARKED, 4, "no quota")
    assert (merged.answer_time.seconds, merged.park_time.seconds) == (100, 50)
    assert found["m"].answered == {"run.$1": 7, "other": 1}
    await health.write([HealthReport("m", "two", ready, None, {})])
    assert (await health.list())["m"].health.state == MODEL_STATE_READY
    assert set(await health.list()) == {"m", "n"}
