"""Runs during which processes are suspended for longer than the queue's ack wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from libra.bus.streams import ACK_WAIT_SECONDS
from libra.local.system import System

from . import report
from .faulty_provider import NO_FAULTS
from .harness import chaos_harness

MARGIN_SECONDS = 5.0
SETTLE_SECONDS = 5.0
"""After this time a resumed process has finished the work that it held."""


@contextmanager
def suspended(system: System, names: Sequence[str]) -> Iterator[None]:
    """Suspend processes with SIGSTOP inside the block, and resume them at its end."""
    processes = [psutil.Process(system.pid(name)) for name in names]
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


async def run_with_suspensions(
    folder: Path,
    *,
    seed: int,
    groups: Sequence[Sequence[str]],
    trials: int,
    timeout_seconds: float,
    variables: Mapping[str, str] | None = None,
) -> None:
    """Suspend one group of parts after another, each during its own run."""
    settings = variables or {}
    suspended_seconds = float(settings.get("LIBRA_NATS_ACK_WAIT_SECONDS", ACK_WAIT_SECONDS)) + MARGIN_SECONDS
    async with chaos_harness(folder, seed=seed, rates=NO_FAULTS, variables=settings) as harness:
        rows: dict[str, object] = {}
        for group in groups:
            harness.script.attempts.clear()
            began = time.monotonic()
            run = await harness.create_run(trials)
            await harness.wait_for_share(run, 0.1, timeout_seconds)
            with suspended(harness.system, group):
                await asyncio.sleep(suspended_seconds)
            ended = await harness.wait_for_end(run, timeout_seconds)
            await asyncio.sleep(SETTLE_SECONDS)
            result = await harness.inspect(ended, began)
            repeats = len(harness.script.repeated_answers())
            rows[", ".join(group)] = (
                f"{result.seconds:3.0f} s, {result.completed:,} verdicts, {repeats} repeated answers"
            )
            harness.check(result)
            assert repeats <= (harness.in_flight if any("gateway" in name for name in group) else 0)
        report.print_table(
            f"Suspended (SIGSTOP) for {suspended_seconds:.0f} s, runs of {trials:,}, every audit clean", rows
        )
