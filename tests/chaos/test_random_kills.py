"""Random processes are killed every three seconds, nats-server and mongod among them."""

from __future__ import annotations

from pathlib import Path

import pytest

from .harness import seed
from .random_kills import kill_at_random

pytestmark = pytest.mark.timeout(1800)


async def test_twenty_thousand_trials_survive_a_kill_every_three_seconds(tmp_path: Path) -> None:
    await kill_at_random(
        tmp_path,
        seed=seed(),
        trials=20_000,
        every_seconds=3.0,
        patience_seconds=1500.0,
    )
