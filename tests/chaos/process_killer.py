"""Kills random processes with SIGKILL and restarts them, as a supervisor would."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from libra.core.timeouts import wait_until_set
from libra.local import topology
from libra.local.system import System

MAX_DOWN_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class Kill:
    """One SIGKILL."""

    part: str
    at_seconds: float
    """Time at which the process was gone, by the event loop's clock."""

    @property
    def kind(self) -> str:
        return topology.service_of(self.part)


@dataclass(slots=True)
class ProcessKiller:
    """Kills the parts in rounds, each in a new random order, so that no part is spared for long."""

    system: System
    seed: int
    interval_seconds: float = 3.0
    kills: list[Kill] = field(default_factory=list)

    async def run(self, stop: asyncio.Event) -> None:
        """Kill and restart parts until `stop` is set."""
        rng, now = random.Random(self.seed), asyncio.get_running_loop().time
        remaining: list[str] = []
        due = now()
        while not await wait_until_set(stop, due + self.interval_seconds - now()):
            due = max(due + self.interval_seconds, now() - self.interval_seconds)
            if not remaining:
                remaining = rng.sample(self.system.part_names, len(self.system.part_names))
            part = remaining.pop()
            await asyncio.to_thread(self.system.kill, part)
            self.kills.append(Kill(part, now()))
            await asyncio.sleep(rng.uniform(0.0, MAX_DOWN_SECONDS))
            # Do not wait for it: it cannot become ready while another part is down.
            await asyncio.to_thread(self.system.start_part, part, wait=False)

    def count(self) -> Counter[str]:
        """Return the number of kills by kind of part."""
        return Counter(kill.kind for kill in self.kills)


@asynccontextmanager
async def killing(system: System, seed: int, interval_seconds: float) -> AsyncIterator[ProcessKiller]:
    """Kill processes inside the block; at its end all parts are up again."""
    killer, stop = ProcessKiller(system, seed, interval_seconds), asyncio.Event()
    task = asyncio.create_task(killer.run(stop))
    try:
        yield killer
    finally:
        stop.set()
        await task
        await asyncio.to_thread(system.up)
