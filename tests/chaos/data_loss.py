"""A run in the middle of which the servers are away, everything is killed, and nats-server loses all that it keeps."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from libra.local import topology

from . import report
from .faulty_provider import CALM
from .harness import World, world

QUIET = {"LIBRA_DISPATCH_QUIET_SECONDS": "5"}
"""A run that stands still is looked into after so long, so that the test need not wait as long as users may."""


async def forget(folder: Path, *, seed: int, trials: int, times: int, patience_seconds: float) -> None:
    """Delete nats-server's data folder under its feet, so often in the middle of one run; then it is started again."""
    async with world(folder, seed=seed, mood=CALM) as its:
        began, losses = time.monotonic(), []
        run = await its.begin(trials)
        for number in range(1, times + 1):
            await its.middle(run, number / (times + 2), patience_seconds)
            _delete_queue(its)
            await asyncio.to_thread(its.system.kill, topology.NATS)
            await asyncio.to_thread(its.system.start_part, topology.NATS)
            losses.append(f"{time.monotonic() - began:.0f} s")
        ended = await its.examined(await its.ended(run, patience_seconds), began)
        report.show("nats-server's data folder deleted", {**its.told(ended), "deleted after": ", ".join(losses)})
        its.check(ended)
        assert its.script.repeats() == []


async def cut_the_power(
    folder: Path,
    *,
    seed: int,
    trials: int,
    away_seconds: float,
    patience_seconds: float,
    variables: Mapping[str, str] = QUIET,
) -> None:
    """Have both servers away for a while, then kill every process at once and delete what the queue kept."""
    async with world(folder, seed=seed, mood=CALM, variables=variables) as its:
        began = time.monotonic()
        run = await its.begin(trials)
        await its.middle(run, 0.2, patience_seconds)
        for server in topology.SERVERS:
            await asyncio.to_thread(its.system.kill, server)
        await asyncio.sleep(away_seconds)
        await asyncio.to_thread(its.system.up)
        outage = len(its.script.repeats())
        await its.middle(run, 0.5, patience_seconds)
        for name in reversed(its.system.names):  # the servers last: what is answered meanwhile is stored meanwhile
            await asyncio.to_thread(its.system.kill, name)
        _delete_queue(its)
        await asyncio.to_thread(its.system.up)
        ended = await its.examined(await its.ended(run, patience_seconds), began)
        rows = {
            **its.told(ended),
            "both servers away": f"{away_seconds:.0f} s; {outage} answers were asked for twice",
            "then every process killed": "and the queue deleted",
        }
        report.show("Servers away, then the power cut", rows)
        its.check(ended)
        assert outage == 0
        assert len(its.script.repeats()) <= 2 * 2 * its.in_flight


def _delete_queue(its: World) -> None:
    shutil.rmtree(its.system.folder / topology.NATS / "data")
