"""A run in the middle of which nats-server loses everything that it keeps."""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path

from libra.local import parts

from . import report
from .unruly import CALM
from .world import world


async def lose(folder: Path, *, seed: int, trials: int, times: int, patience_seconds: float) -> None:
    """Delete nats-server's data folder under its feet, so often in the middle of one run; then it is started again."""
    async with world(folder, seed=seed, mood=CALM) as its:
        began = time.monotonic()
        run = await its.begin(trials)
        settled = []
        for number in range(1, times + 1):
            await its.middle(run, number / (times + 2), patience_seconds)
            shutil.rmtree(folder / parts.NATS / "data")
            await asyncio.to_thread(its.system.kill, parts.NATS)
            await asyncio.to_thread(its.system.start_part, parts.NATS)
            settled.append(time.monotonic() - began)
        ended = await its.examined(await its.ended(run, patience_seconds), began)
        losses = ", ".join(f"{seconds:.0f} s" for seconds in settled)
        report.show("nats-server's data folder deleted", {**its.told(ended), "deleted after": losses})
        its.check(ended)
