"""Entries are changed by compare-and-set, on a real nats-server, whose restart deletes them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from libra.bus.kv_bucket import BucketEntry, KeyValueBucket
from libra.bus.nats_bus import NatsBus
from libra.core.errors import Unavailable
from libra.local.servers import NatsServer

NAME = "org.model 1"


@pytest.fixture
async def bus(nats_url: str) -> AsyncIterator[NatsBus]:
    connected = await NatsBus.connect(nats_url, name="test")
    yield connected
    await connected.close()


async def test_a_written_entry_can_be_read(bus: NatsBus) -> None:
    bucket = KeyValueBucket(bus, "TEST")
    assert await bucket.read(NAME) == BucketEntry(b"", 0)
    first = await bucket.write(NAME, b"one", 0)
    assert first
    assert await bucket.read(NAME) == BucketEntry(b"one", first)
    other = await bucket.write("other", b"2", 0)
    assert other
    second = await bucket.write(NAME, b"two", first)
    assert second
    assert await bucket.read(NAME) == BucketEntry(b"two", second)
    assert await bucket.read("other") == BucketEntry(b"2", other)


async def test_only_the_latest_revision_can_be_replaced(bus: NatsBus) -> None:
    bucket = KeyValueBucket(bus, "TEST")
    await bucket.read(NAME)
    first = await bucket.write(NAME, b"one", 0)
    assert first
    assert await bucket.write(NAME, b"two", 0) is None
    assert await bucket.write(NAME, b"two", first + 7) is None
    assert await bucket.read(NAME) == BucketEntry(b"one", first)


async def test_concurrent_increments_are_not_lost(bus: NatsBus) -> None:
    async def add() -> None:
        bucket, added = KeyValueBucket(bus, "TEST"), 0
        while added < 20:
            entry = await bucket.read(NAME)
            data = json.dumps(json.loads(entry.data or b"0") + 1).encode()
            added += await bucket.write(NAME, data, entry.revision) is not None

    async with asyncio.timeout(30):
        await asyncio.gather(*(add() for _ in range(5)))
    assert (await KeyValueBucket(bus, "TEST").read(NAME)).data == b"100"


async def test_the_age_is_known_from_the_first_read_on(bus: NatsBus) -> None:
    bucket = KeyValueBucket(bus, "TEST")
    assert await bucket.age_seconds() == 0.0
    await bucket.read(NAME)
    first_age = await bucket.age_seconds()
    await asyncio.sleep(0.2)
    assert 0.2 < await bucket.age_seconds() - first_age < 5
    assert first_age < 5


async def test_a_bucket_is_lost_with_the_server_and_created_again(tmp_path: Path) -> None:
    server = NatsServer.start(tmp_path)
    bus = await NatsBus.connect(server.url, name="test")
    bucket = KeyValueBucket(bus, "TEST")
    try:
        await bucket.read(NAME)
        revision = await bucket.write(NAME, b"one", 0)
        await asyncio.to_thread(server.kill)
        with pytest.raises(Unavailable):
            await bucket.read(NAME)
        server = await asyncio.to_thread(NatsServer.start, tmp_path, port=server.port)
        async with asyncio.timeout(20):
            while True:
                try:
                    assert await bucket.write(NAME, b"two", revision or 0) is None
                    break
                except Unavailable:
                    await asyncio.sleep(0.1)
        assert await bucket.read(NAME) == BucketEntry(b"", 0)
        assert await bucket.age_seconds() < 20
        assert await bucket.write(NAME, b"two", 0)
    finally:
        await bus.close()
        await asyncio.to_thread(server.kill)
