"""What boards look at to know that a figure or a calibration has changed."""

from __future__ import annotations

import asyncio

from libra.store.client import Store
from libra.v1.calibration_pb2 import Calibration
from libra.v1.ranking_pb2 import Capability
from libra.v1.verdict_pb2 import JudgeVersion


async def test_each_import_moves_on_when_figures_were_last_put(store: Store) -> None:
    assert await store.capabilities.last_modified() == 0
    [kept] = await store.capabilities.upsert([Capability(model="one", value=0.5)])
    first = await store.capabilities.last_modified()
    assert first == kept.create_time.ToMilliseconds()
    await asyncio.sleep(0.002)
    await store.capabilities.upsert([Capability(model="one", value=0.6)])
    assert await store.capabilities.last_modified() > first


async def test_each_calibration_moves_on_when_judges_were_last_measured(store: Store) -> None:
    assert await store.calibrations.last_modified() == 0
    kept = await store.calibrations.upsert(Calibration(judge=JudgeVersion(name="refusal", version="1")))
    assert await store.calibrations.last_modified() == kept.create_time.ToMilliseconds()
