"""Publishes verdicts of a run that has not finished, at a constant rate, for ranking to write."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ulid import ULID

from libra.bus.nats_bus import NatsBus
from libra.bus.streams import WORK_RANKING
from libra.stage.bus import Outgoing
from libra.v1.batch_pb2 import BatchHeader, VerdictBatch
from libra.v1.task_pb2 import Category
from libra.v1.verdict_pb2 import JudgeVersion, Outcome, Verdict

BATCH_TRIALS = 64
PER_SECOND = 1_000
"""Verdicts per second: about what a model with 500 requests in flight and half a second of latency gives."""


@dataclass(slots=True)
class Published:
    """Number of verdicts published so far."""

    verdicts: int = 0


@asynccontextmanager
async def publishing(nats_url: str, run: str, per_second: int = PER_SECOND) -> AsyncIterator[Published]:
    """Publish verdicts of the run inside the `async with` block."""
    bus, published = await NatsBus.connect(nats_url, name="benchmark"), Published()
    task = asyncio.create_task(_publish(bus, run, per_second, published))
    try:
        yield published
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await bus.close()


async def _publish(bus: NatsBus, run: str, per_second: int, published: Published) -> None:
    loop = asyncio.get_running_loop()
    started, key = loop.time(), str(ULID())  # the queue stores two messages with the same key once
    for number in itertools.count():
        await asyncio.sleep(started + published.verdicts / per_second - loop.time())
        data = _batch(run, number * BATCH_TRIALS).SerializeToString()
        await bus.publish(Outgoing(WORK_RANKING, f"{key}-{number}", data), {})
        published.verdicts += BATCH_TRIALS


def _batch(run: str, first: int) -> VerdictBatch:
    header = BatchHeader(
        run=run,
        model="model-00",
        task="task-00@0123456789ab",
        attack="none",
        category=Category.CATEGORY_DIRECT_RISKY,
    )
    judge = JudgeVersion(name="refusal", version="1", rubric_hash="0123456789ab")
    verdicts = [
        Verdict(sample=sample, outcome=Outcome.OUTCOME_SCORED, score=1.0, judge=judge, completion_id=f"c-{sample}")
        for sample in range(first, first + BATCH_TRIALS)
    ]
    return VerdictBatch(header=header, verdicts=verdicts)
