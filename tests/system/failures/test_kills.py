"""Each trial of a run ends in exactly one verdict, whichever processes are killed and restarted during it.

tests/chaos runs the same scenarios at full length (`make chaos`).
"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.chaos.data_loss import run_with_outage_and_power_cut
from tests.chaos.harness import SHORT_DELAYS, read_seed
from tests.chaos.random_kills import run_with_random_kills

pytestmark = pytest.mark.timeout(300)

RUN_SECONDS = 200.0


async def test_processes_killed_at_random_lose_nothing(tmp_path: Path) -> None:
    await run_with_random_kills(
        tmp_path,
        seed=read_seed(),
        trials=1000,
        interval_seconds=2.0,
        timeout_seconds=RUN_SECONDS,
        variables=SHORT_DELAYS,
    )


async def test_an_outage_and_a_power_cut_that_deletes_the_queue_lose_nothing(tmp_path: Path) -> None:
    await run_with_outage_and_power_cut(
        tmp_path,
        seed=read_seed(),
        trials=3000,
        outage_seconds=5.0,
        timeout_seconds=RUN_SECONDS,
        variables=SHORT_DELAYS | {"LIBRA_NATS_ACK_WAIT_SECONDS": "30"},  # longer than the outage, on any machine
    )
