"""One replica of each service, and each server, is suspended for longer than the ack wait and then resumed."""

from __future__ import annotations

from pathlib import Path

import pytest

from libra.local.topology import PIPELINE, SERVERS

from .harness import read_seed
from .suspension import run_with_suspensions

pytestmark = pytest.mark.timeout(1800)


async def test_a_process_suspended_for_longer_than_the_ack_wait_loses_nothing(tmp_path: Path) -> None:
    groups = [[name] for name in (*PIPELINE, *SERVERS)]
    await run_with_suspensions(tmp_path, seed=read_seed(), groups=groups, trials=4_000, timeout_seconds=200.0)
