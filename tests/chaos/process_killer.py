"""Kills a random process again and again, and starts it anew, as a supervisor would."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from libra.local import topology
from libra.local.system import System
from libra.timeouts import wait_until_set

MOST_AWAY_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class Kill:
    """One SIGKILL."""

    part: str
    at_seconds: float
    """When the process was gone, on the loop's clock."""

    @property
    def kind(self) -> str:
        return topology.kind(self.part)


@dataclass(slots=True)
class Monkey:
    """Takes the parts in rounds, each round in an order of its own, so that none is left out for long."""

    system: System
    seed: int
    every_seconds: float = 3.0
    kills: list[Kill] = field(default_factory=list)

    async def work(self, stop: asyncio.Event) -> None:
        """Kill until told to stop; leave nothing dead behind."""
        draw, now = random.Random(self.seed), asyncio.get_running_loop().time
        round_: list[str] = []
        due = now()
        while not await wait_until_set(stop, due + self.every_seconds - now()):
            due = max(due + self.every_seconds, now() - self.every_seconds)
            if not round_:
                round_ = draw.sample(self.system.names, len(self.system.names))
            part = round_.pop()
            await asyncio.to_thread(self.system.kill, part)
            self.kills.append(Kill(part, now()))
            await asyncio.sleep(draw.uniform(0.0, MOST_AWAY_SECONDS))
            # Not waited for: it cannot be ready while another part is away.
            await asyncio.to_thread(self.system.start_part, part, wait=False)

    def count(self) -> Counter[str]:
        """Return the number of kills by the kind of part."""
        return Counter(kill.kind for kill in self.kills)


@asynccontextmanager
async def at_work(system: System, seed: int, every_seconds: float = 3.0) -> AsyncIterator[Monkey]:
    """Have a monkey at work inside of the block, and everything up again after it."""
    monkey, stop = Monkey(system, seed, every_seconds), asyncio.Event()
    working = asyncio.create_task(monkey.work(stop))
    try:
        yield monkey
    finally:
        stop.set()
        await working
        await asyncio.to_thread(system.up)
