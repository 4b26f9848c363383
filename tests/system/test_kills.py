"""Whatever is killed in the middle of a run and started again, every trial ends in exactly one verdict.

The same at full length is in tests/chaos (`make chaos`).
"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.chaos.data_loss import cut_the_power
from tests.chaos.harness import HASTY, seed
from tests.chaos.random_kills import kill_at_random

pytestmark = pytest.mark.timeout(300)

PATIENCE_SECONDS = 200.0


async def test_processes_killed_at_random_lose_nothing(tmp_path: Path) -> None:
    await kill_at_random(
        tmp_path, seed=seed(), trials=1000, every_seconds=2.0, patience_seconds=PATIENCE_SECONDS, variables=HASTY
    )


async def test_an_outage_and_a_power_cut_that_costs_the_queue_lose_nothing(tmp_path: Path) -> None:
    await cut_the_power(
        tmp_path, seed=seed(), trials=3000, away_seconds=15.0, patience_seconds=PATIENCE_SECONDS, variables=HASTY
    )
