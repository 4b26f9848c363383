"""A run whose queue has less room on its disk than the run would take, and for a while none at all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import nats
from nats.js.api import StreamConfig
from nats.js.errors import APIError

from libra.bus import streams

from . import report
from .faulty_provider import CALM
from .harness import World, world

BALLAST = "BALLAST"
PIECE_BYTES = 16 * 1024
LOOK_SECONDS = 0.1


@asynccontextmanager
async def filled(its: World) -> AsyncIterator[None]:
    """Have somebody else's data take all that is left of the disk's quota inside of the block."""
    client = await nats.connect(its.system.nats_url)
    js = client.jetstream()
    await js.add_stream(StreamConfig(name=BALLAST, subjects=[BALLAST]))
    filling = asyncio.create_task(_fill(js))
    try:
        yield
    finally:
        filling.cancel()
        await js.delete_stream(BALLAST)
        await client.close()


async def _fill(js: nats.js.JetStreamContext) -> None:
    while True:
        try:
            await js.publish(BALLAST, bytes(PIECE_BYTES))
        except APIError:  # it is full: fill again what becomes free
            await asyncio.sleep(LOOK_SECONDS)


class Watch:
    """Looks how full the streams are."""

    def __init__(self, its: World) -> None:
        self._its = its
        self.most: dict[str, int] = {}
        """The most bytes seen in each stream."""

    async def look(self) -> None:
        client = await nats.connect(self._its.system.nats_url)
        while True:
            for stream in streams.WORK:
                state = (await client.jetstream().stream_info(str(stream.name))).state
                self.most[str(stream.name)] = max(self.most.get(str(stream.name), 0), state.bytes)
            await asyncio.sleep(LOOK_SECONDS)


async def fill(
    folder: Path,
    *,
    seed: int,
    trials: int,
    padding: int,
    stage_bytes: int,
    full_seconds: float,
    patience_seconds: float,
) -> None:
    """Give each stage less room than the run's window takes; in the middle of it, take even that away for a while."""
    store_bytes = stage_bytes * (len(streams.STREAMS) + 1)
    variables = {"LIBRA_LOCAL_NATS_STORE_BYTES": str(store_bytes), "LIBRA_NATS_STAGE_BYTES": str(stage_bytes)}
    async with world(folder, seed=seed, mood=CALM, variables=variables) as its:
        began, watch = time.monotonic(), Watch(its)
        watching = asyncio.create_task(watch.look())
        run = await its.begin(trials, padding)
        await its.middle(run, 0.2, patience_seconds)
        async with filled(its):
            await asyncio.sleep(full_seconds)
            stood = await its.once(run.id, lambda _: True, patience_seconds)
        last = await its.ended(run, patience_seconds)
        watching.cancel()
        ended = await its.examined(last, began)
        rows = {
            **its.told(ended),
            "room for each stage": f"{stage_bytes:,} bytes",
            "  at most used": ", ".join(
                f"{name.removeprefix('WORK_').lower()} {most:,}" for name, most in watch.most.items()
            ),
            "no room at all for": f"{full_seconds:.0f} s, after which {stood.counts.scored:,} trials were settled",
        }
        report.show("JetStream's disk quota filled", rows)
        its.check(ended)
        assert max(watch.most.values()) >= stage_bytes * 0.9
