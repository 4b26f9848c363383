"""Suspended processes and a full disk quota delay work and lose none.

tests/chaos runs the same scenarios at full length (`make chaos`).
"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.chaos.disk_quota import run_with_full_quota
from tests.chaos.harness import SHORT_DELAYS, read_seed
from tests.chaos.suspension import run_with_suspensions

from libra.local.topology import PIPELINE

pytestmark = pytest.mark.timeout(300)

RUN_SECONDS = 200.0


async def test_replicas_suspended_for_longer_than_the_ack_wait_lose_nothing(tmp_path: Path) -> None:
    await run_with_suspensions(
        tmp_path,
        seed=read_seed(),
        groups=[[f"{service}-2" for service in PIPELINE]],
        trials=2000,
        timeout_seconds=RUN_SECONDS,
        variables=SHORT_DELAYS | {"LIBRA_NATS_ACK_WAIT_SECONDS": "6"},
    )


async def test_a_full_quota_delays_work_and_loses_none(tmp_path: Path) -> None:
    await run_with_full_quota(
        tmp_path,
        seed=read_seed(),
        trials=3000,
        padding=100,
        stage_bytes=200_000,
        full_seconds=10.0,
        timeout_seconds=RUN_SECONDS,
        variables=SHORT_DELAYS,
    )
