"""A run whose queue has a smaller disk quota than the run needs, and for a while no free space at all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import nats
from nats.js.api import StreamConfig
from nats.js.errors import APIError

from libra.bus import streams

from . import report
from .faulty_provider import NO_FAULTS
from .harness import ChaosHarness, chaos_harness

FILLER = "FILLER"
"""The stream that takes the free space."""

CHUNK_BYTES = 16 * 1024
POLL_SECONDS = 0.1


@asynccontextmanager
async def full_quota(harness: ChaosHarness) -> AsyncIterator[None]:
    """Fill the rest of JetStream's disk quota with other data inside the block."""
    client = await nats.connect(harness.system.nats_url)
    js = client.jetstream()
    await js.add_stream(StreamConfig(name=FILLER, subjects=[FILLER]))
    filling = asyncio.create_task(_keep_full(js))
    try:
        yield
    finally:
        filling.cancel()
        await js.delete_stream(FILLER)
        await client.close()


async def _keep_full(js: nats.js.JetStreamContext) -> None:
    while True:
        try:
            await js.publish(FILLER, bytes(CHUNK_BYTES))
        except APIError:  # the quota is full: fill the space that becomes free
            await asyncio.sleep(POLL_SECONDS)


class StreamSizes:
    """Records the maximum size of each work stream."""

    def __init__(self, harness: ChaosHarness) -> None:
        self._harness = harness
        self.max_bytes: dict[str, int] = {}
        """By stream."""

    async def sample(self) -> None:
        client = await nats.connect(self._harness.system.nats_url)
        while True:
            for stream in streams.WORK:
                name = str(stream.name)
                state = (await client.jetstream().stream_info(name)).state
                self.max_bytes[name] = max(self.max_bytes.get(name, 0), state.bytes)
            await asyncio.sleep(POLL_SECONDS)


async def run_with_full_quota(
    folder: Path,
    *,
    seed: int,
    trials: int,
    padding: int,
    stage_bytes: int,
    full_seconds: float,
    timeout_seconds: float,
    variables: Mapping[str, str] | None = None,
) -> None:
    """Limit each stage to less space than the run's window needs; during the run, take all free space for a while."""
    store_bytes = stage_bytes * (len(streams.STREAMS) + 1)
    limits = {"LIBRA_LOCAL_NATS_STORE_BYTES": str(store_bytes), "LIBRA_NATS_STAGE_BYTES": str(stage_bytes)}
    settings = {**(variables or {}), **limits}
    async with chaos_harness(folder, seed=seed, rates=NO_FAULTS, variables=settings) as harness:
        began, sizes = time.monotonic(), StreamSizes(harness)
        sampling = asyncio.create_task(sizes.sample())
        run = await harness.create_run(trials, padding)
        await harness.wait_for_share(run, 0.2, timeout_seconds)
        async with full_quota(harness):
            await asyncio.sleep(full_seconds)
            during = await harness.wait_until(run.id, lambda _: True, timeout_seconds)
        ended = await harness.wait_for_end(run, timeout_seconds)
        sampling.cancel()
        result = await harness.inspect(ended, began)
        used = (f"{name.removeprefix('WORK_').lower()} {size:,}" for name, size in sizes.max_bytes.items())
        rows = {
            **harness.report_rows(result),
            "quota of each stage": f"{stage_bytes:,} bytes",
            "  maximum used": ", ".join(used),
            "no free space for": f"{full_seconds:.0f} s, after which {during.counts.scored:,} trials were completed",
        }
        report.print_table("JetStream's disk quota filled", rows)
        harness.check(result)
        assert max(sizes.max_bytes.values()) >= stage_bytes * 0.9
