"""The disk of a system is full for a while."""

from __future__ import annotations

from pathlib import Path

import pytest

from .disk_full import MountRefused, run_with_full_disk
from .disk_quota import run_with_full_quota
from .harness import read_seed

pytestmark = pytest.mark.timeout(900)


async def test_a_full_disk_delays_work_and_loses_none(tmp_path: Path) -> None:
    try:
        await run_with_full_disk(
            tmp_path / "disk",
            seed=read_seed(),
            trials=10_000,
            megabytes=900,
            full_seconds=60.0,
            timeout_seconds=400.0,
            variables={},
        )
    except MountRefused:  # the nearest to it that any user may do
        await run_with_full_quota(
            tmp_path / "quota",
            seed=read_seed(),
            trials=10_000,
            padding=100,
            stage_bytes=400_000,
            full_seconds=45.0,
            timeout_seconds=300.0,
        )
