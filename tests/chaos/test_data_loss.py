"""What JetStream keeps is deleted in the middle of a run, the servers are away, the power is cut; the sweep makes up for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from .data_loss import cut_the_power, forget
from .harness import seed

pytestmark = pytest.mark.timeout(1800)


async def test_a_queue_that_forgets_everything_costs_time_and_nothing_else(tmp_path: Path) -> None:
    await forget(tmp_path, seed=seed(), trials=10_000, times=2, patience_seconds=400.0)


async def test_servers_away_for_two_minutes_and_a_power_cut_lose_nothing(tmp_path: Path) -> None:
    await cut_the_power(tmp_path, seed=seed(), trials=10_000, away_seconds=120.0, patience_seconds=400.0)
