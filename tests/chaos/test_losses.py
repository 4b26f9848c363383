"""What JetStream keeps is deleted in the middle of a run; the sweep makes up for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from .losses import lose
from .world import seed

pytestmark = pytest.mark.timeout(1800)


async def test_a_queue_that_forgets_everything_costs_time_and_nothing_else(tmp_path: Path) -> None:
    await lose(tmp_path, seed=seed(), trials=10_000, times=2, patience_seconds=400.0)
