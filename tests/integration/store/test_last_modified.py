"""Boards read these times to notice that a figure or a calibration has changed."""

from __future__ import annotations

import asyncio

from libra.store.client import Store
from libra.v1.calibration_pb2 import Calibration
from libra.v1.ranking_pb2 import Capability
from libra.v1.verdict_pb2 import JudgeVersion


async def test_each_import_advances_last_modified(store: Store) -> None:
    assert await store.capabilities.last_modified() == 0
    [stored] = await store.capabilities.upsert([Capability(model="one", value=0.5)])
    first = await store.capabilities.last_modified()
    assert first == stored.create_time.ToMilliseconds()
    await asyncio.sleep(0.002)
    await store.capabilities.upsert([Capability(model="one", value=0.6)])
    assert await store.capabilities.last_modified() > first


async def test_each_calibration_advances_last_modified(store: Store) -> None:
    assert await store.calibrations.last_modified() == 0
    stored = await store.calibrations.upsert(Calibration(judge=JudgeVersion(name="refusal", version="1")))
    assert await store.calibrations.last_modified() == stored.create_time.ToMilliseconds()
