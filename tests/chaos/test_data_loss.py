"""JetStream's data is deleted during a run, the servers are down, the power is cut; sweeps repeat the lost work."""

from __future__ import annotations

from pathlib import Path

import pytest

from .data_loss import run_with_outage_and_power_cut, run_with_queue_losses
from .harness import read_seed

pytestmark = pytest.mark.timeout(1800)


async def test_a_queue_that_loses_its_data_costs_only_time(tmp_path: Path) -> None:
    await run_with_queue_losses(tmp_path, seed=read_seed(), trials=10_000, losses=2, timeout_seconds=400.0)


async def test_two_minutes_without_servers_and_a_power_cut_lose_nothing(tmp_path: Path) -> None:
    await run_with_outage_and_power_cut(
        tmp_path, seed=read_seed(), trials=10_000, outage_seconds=120.0, timeout_seconds=400.0
    )
