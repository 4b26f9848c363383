"""Each service is killed during a run and restarted: the run ends, and its audit is clean."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from tests.chaos.faulty_provider import NO_FAULTS
from tests.chaos.harness import NO_PAGES, SHORT_DELAYS, ChaosHarness, chaos_harness, read_seed

from libra.local.topology import PIPELINE

pytestmark = pytest.mark.timeout(300)

TRIALS = 1000
"""About two seconds of work, at 64 in flight and an eighth of a second each."""

DOWN_SECONDS = 1.0
DELAYS = SHORT_DELAYS | {"LIBRA_NATS_ACK_WAIT_SECONDS": "5"}
"""With one replica of each service, a message that is redelivered too early meets the process that has it already."""

RUN_SECONDS = 60.0


async def test_each_service_can_be_killed_and_restarted_without_loss(tmp_path: Path) -> None:
    """The services are killed one after another, each during its own run on the same system."""
    async with chaos_harness(
        tmp_path, seed=read_seed(), rates=NO_FAULTS, replicas=NO_PAGES, variables=DELAYS
    ) as harness:
        for service in PIPELINE:
            harness.script.attempts.clear()
            await run_with_kill_of(harness, service)


async def run_with_kill_of(harness: ChaosHarness, service: str) -> None:
    began = time.monotonic()
    run = await harness.create_run(TRIALS)
    await harness.wait_for_share(run, 0.2, RUN_SECONDS)
    await asyncio.to_thread(harness.system.kill, service)
    await asyncio.sleep(DOWN_SECONDS)
    await asyncio.to_thread(harness.system.start_part, service)
    result = await harness.inspect(await harness.wait_for_end(run, RUN_SECONDS), began)
    harness.check(result)
    assert result.run.counts.scored == TRIALS, service
    # A killed gateway has up to 64 requests in flight, and at most about as many answers that are not stored yet.
    max_repeats = 2 * harness.in_flight if service == "gateway" else 0
    assert len(harness.script.repeated_answers()) <= max_repeats, service
