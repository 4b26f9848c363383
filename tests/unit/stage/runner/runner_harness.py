"""Runs one stage on a reliable in-memory queue in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import CollectorRegistry

from libra.stage.bus import Outgoing
from libra.stage.policy import Policy
from libra.stage.runner import Stage, run
from libra.telemetry import tracing
from libra.telemetry.metrics import Metrics
from libra.testing.hostile_bus import HostileBus
from libra.testing.virtual_time import simulate
from libra.v1.batch_pb2 import BatchHeader, Trial, TrialBatch

Handle = Callable[[TrialBatch], Awaitable[Sequence[Outgoing]]]
OUTPUT_SUBJECT = "work.ranking"


def batch(sample: int) -> bytes:
    header = BatchHeader(run="r", model="m", task="t@1", attack="none")
    return TrialBatch(header=header, trials=[Trial(sample=sample)]).SerializeToString()


def output(trials: TrialBatch) -> list[Outgoing]:
    return [Outgoing(OUTPUT_SUBJECT, f"out/{trials.trials[0].sample}", b"answer")]


@dataclass
class RunnerHarness:
    """One stage on one bus, with its messages, outputs, dead letters and metrics."""

    bus: HostileBus = field(default_factory=HostileBus)
    policy: Policy = field(default_factory=Policy)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.metrics = Metrics(self.registry)

    async def publish(self, *samples: int, data: bytes | None = None) -> None:
        for sample in samples:
            message = Outgoing("work.judge", f"in/{sample}", batch(sample) if data is None else data)
            await self.bus.publish(message, tracing.inject())

    def stage(self, handle: Handle) -> Stage[TrialBatch]:
        return Stage(
            "judge", TrialBatch.FromString, handle, self.policy, lambda one: (one.header.model, len(one.trials))
        )

    async def run_for(self, handle: Handle, seconds: float) -> None:
        """Run the stage for this time, then stop it."""
        running = asyncio.create_task(run(self.stage(handle), "judge", self.bus, self.stop, self.metrics))
        await asyncio.wait({running}, timeout=seconds)
        self.stop.set()
        await running

    def outputs(self) -> list[str]:
        return [message.outgoing.key for message in self.bus.messages(OUTPUT_SUBJECT)]

    def dead_letters(self) -> list[dict[str, str]]:
        return [dict(message.headers) for message in self.bus.messages("dead.judge")]

    def all_settled(self) -> bool:
        return all(message.settled for message in self.bus.messages("work.judge"))

    def count(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(f"libra_{name}", {"stage": "judge", **labels}) or 0.0


def in_virtual_time(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Run an async test in virtual time."""

    def wrapped() -> None:
        simulate(test(), limit_seconds=100_000)

    wrapped.__name__ = test.__name__
    return wrapped


def now() -> float:
    return asyncio.get_running_loop().time()


async def handle_immediately(trials: TrialBatch) -> list[Outgoing]:
    return output(trials)
