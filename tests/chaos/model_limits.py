"""A run on a model with limits, gateways that come and go meanwhile, and what the provider saw of it."""

from __future__ import annotations

import asyncio
import contextlib
from bisect import bisect_left
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ulid import ULID

from libra.local.system import System
from libra.rpc.client import call, channel
from libra.testing.scripted_provider import ScriptedProvider, says
from libra.v1.model_pb2 import CreateModelRequest, Model, ModelLimits, Provider
from libra.v1.model_pb2_grpc import ModelServiceStub
from libra.v1.run_pb2 import CancelRunRequest, CreateRunRequest, RunSpec
from libra.v1.run_pb2_grpc import RunServiceStub
from libra.v1.task_pb2 import ImportTaskHeader, ImportTaskRequest
from libra.v1.task_pb2_grpc import TaskServiceStub

from .trial_prompts import card, records

GATEWAYS = ("gateway", "gateway-2", "gateway-3", "gateway-4")
CALL_SECONDS = 60.0
MINUTE_SECONDS = 60.0


@dataclass
class Limits:
    """The system, the provider's counts, and how many gateways there are."""

    system: System
    provider: ScriptedProvider
    levels: list[tuple[float, int]] = field(default_factory=list)

    async def watch(self) -> None:
        now = asyncio.get_running_loop().time
        while True:
            self.levels.append((now(), self.provider.in_flight))
            await asyncio.sleep(0.05)

    async def kill(self, gateway: str) -> None:
        await asyncio.to_thread(self.system.kill, gateway)

    async def start(self, gateway: str) -> None:
        await asyncio.to_thread(self.system.start_part, gateway)

    async def used(self, seconds: float) -> float:
        """Return how many requests were in flight in the mean of the next so many seconds."""
        start = asyncio.get_running_loop().time()
        await asyncio.sleep(seconds)
        levels = [level for at, level in self.levels if at >= start]
        return sum(levels) / len(levels)

    def minutes(self, start: float, stop: float) -> Iterator[int]:
        """Yield how many requests arrived in each minute that begins with one of them, and ends between two times."""
        arrivals = [asked.at_seconds for asked in self.provider.requests]
        for begin in arrivals:
            if start <= begin < stop - MINUTE_SECONDS:
                yield bisect_left(arrivals, begin + MINUTE_SECONDS) - bisect_left(arrivals, begin)

    @asynccontextmanager
    async def run(self, trials: int, **limits: int) -> AsyncIterator[None]:
        """Run so many trials, and call the run off in the end."""
        name, task = f"model-{ULID()}", f"tricks-{str(ULID()).lower()}"

        async def requests() -> AsyncIterator[ImportTaskRequest]:
            yield ImportTaskRequest(header=ImportTaskHeader(card_yaml=card(task), file_name=f"{task}.jsonl"))
            data = records(trials)
            for start in range(0, len(data), 2**20):
                yield ImportTaskRequest(data=data[start : start + 2**20])

        async with channel(self.system.target("dispatch")) as opened:
            model = Model(
                name=name,
                provider=Provider.PROVIDER_OPENAI,
                base_url=self.provider.url,
                limits=ModelLimits(timeout_seconds=20, **limits),
            )
            await call(ModelServiceStub(opened).CreateModel, CreateModelRequest(model=model), CALL_SECONDS)
            await call(TaskServiceStub(opened).ImportTask, requests(), CALL_SECONDS)
            runs = RunServiceStub(opened)
            spec = RunSpec(models=[name], tasks=[task])
            run = (await call(runs.CreateRun, CreateRunRequest(spec=spec), CALL_SECONDS)).run
            before = self.provider.count
            async with asyncio.timeout(60):
                while self.provider.count == before:
                    await asyncio.sleep(0.1)
            yield
            await call(runs.CancelRun, CancelRunRequest(id=run.id), CALL_SECONDS)


@asynccontextmanager
async def limited(folder: Path, answer_seconds: float) -> AsyncIterator[Limits]:
    """Yield a system of which one gateway of four is up."""
    async with ScriptedProvider(
        says("I'm sorry, but I can't help with that.", after_seconds=answer_seconds)
    ) as provider:
        system = await asyncio.to_thread(System.start, folder, replicas={"gateway": len(GATEWAYS)})
        try:
            made = Limits(system, provider)
            for gateway in GATEWAYS[1:]:
                await made.kill(gateway)
            watching = asyncio.create_task(made.watch())
            yield made
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching
        finally:
            await asyncio.to_thread(system.stop)
