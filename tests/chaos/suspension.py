"""A run in the middle of which processes stand still for longer than the queue waits for a sign of life."""

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
from .faulty_provider import CALM
from .harness import world

MARGIN_SECONDS = 5.0
AFTERWARDS_SECONDS = 5.0
"""What goes on again does with what it has in hand whatever it will do."""


@contextmanager
def frozen(system: System, names: Sequence[str]) -> Iterator[None]:
    """Have SIGSTOPped processes inside of the block, and all of them going on after it."""
    processes = [psutil.Process(system.pid(name)) for name in names]
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


async def freeze(
    folder: Path,
    *,
    seed: int,
    groups: Sequence[Sequence[str]],
    trials: int,
    patience_seconds: float,
    variables: Mapping[str, str] | None = None,
) -> None:
    """Freeze one group of parts after the other, each in the middle of a run of its own."""
    told = variables or {}
    frozen_seconds = float(told.get("LIBRA_NATS_ACK_WAIT_SECONDS", ACK_WAIT_SECONDS)) + MARGIN_SECONDS
    async with world(folder, seed=seed, mood=CALM, variables=told) as its:
        rows: dict[str, object] = {}
        for group in groups:
            its.script.tries.clear()
            began = time.monotonic()
            run = await its.begin(trials)
            await its.middle(run, 0.1, patience_seconds)
            with frozen(its.system, group):
                await asyncio.sleep(frozen_seconds)
            last = await its.ended(run, patience_seconds)
            await asyncio.sleep(AFTERWARDS_SECONDS)
            ended = await its.examined(last, began)
            repeats = len(its.script.repeats())
            rows[", ".join(group)] = f"{ended.seconds:3.0f} s, {ended.settled:,} verdicts, {repeats} asked for twice"
            its.check(ended)
            assert repeats <= (its.in_flight if any("gateway" in name for name in group) else 0)
        report.show(f"Frozen (SIGSTOP) for {frozen_seconds:.0f} s, in runs of {trials:,}, every audit clean", rows)
