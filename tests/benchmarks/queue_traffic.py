"""Messages and bytes on the queue per trial, by stage, counted by a subscriber of all work subjects."""

from __future__ import annotations

from collections import defaultdict

import nats
from nats.aio.msg import Msg

from .child_processes import standin_provider
from .pipeline import Pipeline

TRIALS = 2_048
IN_FLIGHT = 500


async def measure_traffic(pipeline: Pipeline) -> dict[str, tuple[float, float]]:
    """Return (messages, bytes) per trial, by stage."""
    sizes: defaultdict[str, list[int]] = defaultdict(list)

    async def count(message: Msg) -> None:
        sizes[message.subject.split(".")[1]].append(len(message.data) + len(message.subject))

    client = await nats.connect(pipeline.system.nats_url)
    await client.subscribe("work.>", cb=count)
    with standin_provider(0) as standin:
        await pipeline.add_model("wire", standin.url, IN_FLIGHT)
        await pipeline.add_task("wire", TRIALS)
        await pipeline.measure_run("wire", "wire")
    await client.drain()
    return {stage: (len(numbers) / TRIALS, sum(numbers) / TRIALS) for stage, numbers in sizes.items()}
