"""Processes that stand still, and a disk that is full: both hold work back and lose none.

The same at full length is in tests/chaos (`make chaos`).
"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.chaos.disk_quota import fill
from tests.chaos.harness import HASTY, seed
from tests.chaos.suspension import freeze

from libra.local.topology import SERVICES

pytestmark = pytest.mark.timeout(300)

PATIENCE_SECONDS = 200.0


async def test_replicas_that_stand_still_past_the_ack_wait_lose_nothing(tmp_path: Path) -> None:
    groups = [[f"{service}-2" for service in SERVICES]]
    await freeze(tmp_path, seed=seed(), groups=groups, trials=2000, patience_seconds=PATIENCE_SECONDS, variables=HASTY)


async def test_a_full_disk_holds_work_back_and_loses_none(tmp_path: Path) -> None:
    await fill(
        tmp_path,
        seed=seed(),
        trials=3000,
        padding=100,
        stage_bytes=200_000,
        full_seconds=10.0,
        patience_seconds=PATIENCE_SECONDS,
    )
