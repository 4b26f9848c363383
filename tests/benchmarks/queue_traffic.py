"""Messages and bytes on the queue for a trial, by subject: what a listener beside the stages hears."""

from __future__ import annotations

from collections import defaultdict

import nats
from nats.aio.msg import Msg

from .child_processes import provider
from .pipeline import Pipeline

TRIALS = 2_048
IN_FLIGHT = 500


async def traffic(pipeline: Pipeline) -> dict[str, tuple[float, float]]:
    """Return (messages, bytes) for a trial, by stage."""
    heard: defaultdict[str, list[int]] = defaultdict(list)

    async def hear(message: Msg) -> None:
        heard[message.subject.split(".")[1]].append(len(message.data) + len(message.subject))

    client = await nats.connect(pipeline.system.nats_url)
    await client.subscribe("work.>", cb=hear)
    with provider(0) as standin:
        await pipeline.add_model("wire", standin.url, IN_FLIGHT)
        await pipeline.add_task("wire", TRIALS)
        await pipeline.measured("wire", "wire")
    await client.drain()
    return {stage: (len(sizes) / TRIALS, sum(sizes) / TRIALS) for stage, sizes in heard.items()}
