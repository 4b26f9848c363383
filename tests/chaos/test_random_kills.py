"""Random processes, nats-server and mongod among them, are killed every three seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from .harness import read_seed
from .random_kills import run_with_random_kills

pytestmark = pytest.mark.timeout(1800)


async def test_twenty_thousand_trials_survive_a_kill_every_three_seconds(tmp_path: Path) -> None:
    await run_with_random_kills(tmp_path, seed=read_seed(), trials=20_000, interval_seconds=3.0, timeout_seconds=1500.0)
