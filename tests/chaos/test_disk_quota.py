"""JetStream may keep less on its disk than a run would put there."""

from __future__ import annotations

from pathlib import Path

import pytest

from .disk_quota import fill
from .harness import seed

pytestmark = pytest.mark.timeout(1800)


async def test_a_full_disk_holds_work_back_and_loses_none(tmp_path: Path) -> None:
    await fill(
        tmp_path,
        seed=seed(),
        trials=10_000,
        padding=100,
        stage_bytes=400_000,
        full_seconds=45.0,
        patience_seconds=300.0,
    )
