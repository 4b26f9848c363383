"""Runs during which the servers are down, every process is killed, or nats-server loses its data."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from libra.local import topology

from . import report
from .faulty_provider import NO_FAULTS
from .harness import ChaosHarness, chaos_harness

SHORT_QUIET_TIME = {"LIBRA_DISPATCH_QUIET_SECONDS": "5"}
"""A run without progress is swept after 5 s instead of the default 20 s, to shorten the test."""


async def run_with_queue_losses(folder: Path, *, seed: int, trials: int, losses: int, timeout_seconds: float) -> None:
    """Delete nats-server's data several times during one run, and restart it."""
    async with chaos_harness(folder, seed=seed, rates=NO_FAULTS) as harness:
        began, times = time.monotonic(), []
        run = await harness.create_run(trials)
        for number in range(1, losses + 1):
            await harness.wait_for_share(run, number / (losses + 2), timeout_seconds)
            _delete_queue(harness)
            await asyncio.to_thread(harness.system.kill, topology.NATS)
            await asyncio.to_thread(harness.system.start_part, topology.NATS)
            times.append(f"{time.monotonic() - began:.0f} s")
        result = await harness.inspect(await harness.wait_for_end(run, timeout_seconds), began)
        rows = {**harness.report_rows(result), "deleted after": ", ".join(times)}
        report.print_table("nats-server's data deleted", rows)
        harness.check(result)
        assert harness.script.repeated_answers() == []


async def run_with_outage_and_power_cut(
    folder: Path,
    *,
    seed: int,
    trials: int,
    outage_seconds: float,
    timeout_seconds: float,
    variables: Mapping[str, str] = SHORT_QUIET_TIME,
) -> None:
    """Stop both servers for a while; later kill every process at once and delete the queue's data."""
    async with chaos_harness(folder, seed=seed, rates=NO_FAULTS, variables=variables) as harness:
        began = time.monotonic()
        run = await harness.create_run(trials)
        await harness.wait_for_share(run, 0.2, timeout_seconds)
        for server in topology.SERVERS:
            await asyncio.to_thread(harness.system.kill, server)
        await asyncio.sleep(outage_seconds)
        await asyncio.to_thread(harness.system.up)
        outage_repeats = len(harness.script.repeated_answers())
        await harness.wait_for_share(run, 0.5, timeout_seconds)
        for name in reversed(harness.system.part_names):  # the servers last: answers that arrive meanwhile are stored
            await asyncio.to_thread(harness.system.kill, name)
        _delete_queue(harness)
        await asyncio.to_thread(harness.system.up)
        result = await harness.inspect(await harness.wait_for_end(run, timeout_seconds), began)
        rows = {
            **harness.report_rows(result),
            "both servers down": f"{outage_seconds:.0f} s; {outage_repeats} repeated answers",
            "then every process killed": "and the queue deleted",
        }
        report.print_table("Servers down, then a power cut", rows)
        harness.check(result)
        assert outage_repeats == 0
        assert len(harness.script.repeated_answers()) <= 2 * 2 * harness.in_flight


def _delete_queue(harness: ChaosHarness) -> None:
    shutil.rmtree(harness.system.folder / topology.NATS / "data")
