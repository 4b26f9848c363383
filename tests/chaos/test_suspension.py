"""A replica of each stage, and each server, stands still past the ack wait and then goes on as if nothing had been."""

from __future__ import annotations

from pathlib import Path

import pytest

from libra.local.topology import SERVERS, SERVICES

from .harness import seed
from .suspension import freeze

pytestmark = pytest.mark.timeout(1800)


async def test_whoever_stands_still_past_the_ack_wait_loses_nothing(tmp_path: Path) -> None:
    groups = [[name] for name in (*SERVICES, *SERVERS)]
    await freeze(tmp_path, seed=seed(), groups=groups, trials=4_000, patience_seconds=200.0)
