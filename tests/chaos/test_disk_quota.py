"""JetStream's disk quota is smaller than a run needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from .disk_quota import run_with_full_quota
from .harness import read_seed

pytestmark = pytest.mark.timeout(1800)


async def test_a_full_quota_delays_work_and_loses_none(tmp_path: Path) -> None:
    await run_with_full_quota(
        tmp_path,
        seed=read_seed(),
        trials=10_000,
        padding=100,
        stage_bytes=400_000,
        full_seconds=45.0,
        timeout_seconds=300.0,
    )
