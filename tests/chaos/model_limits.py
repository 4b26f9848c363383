"""A run on a model with limits while gateways start and stop, and the requests that the provider received."""

from __future__ import annotations

import asyncio
import contextlib
from bisect import bisect_left
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.generated_task import import_requests
from ulid import ULID

from libra.local.system import System
from libra.rpc.client import call, channel
from libra.testing.scripted_provider import ScriptedProvider, says
from libra.v1.model_pb2 import CreateModelRequest, Model, ModelLimits, Provider
from libra.v1.model_pb2_grpc import ModelServiceStub
from libra.v1.run_pb2 import CancelRunRequest, CreateRunRequest, RunSpec
from libra.v1.run_pb2_grpc import RunServiceStub
from libra.v1.task_pb2_grpc import TaskServiceStub

from .faulty_provider import REFUSAL
from .trial_prompts import samples

GATEWAYS = ("gateway", "gateway-2", "gateway-3", "gateway-4")
CALL_SECONDS = 60.0
MINUTE_SECONDS = 60.0
SAMPLE_SECONDS = 0.05


@dataclass
class LimitsHarness:
    """The system, the provider's record, and samples of the requests in flight."""

    system: System
    provider: ScriptedProvider
    in_flight: list[tuple[float, int]] = field(default_factory=list)
    """(time by the event loop's clock, requests in flight)"""

    async def sample(self) -> None:
        now = asyncio.get_running_loop().time
        while True:
            self.in_flight.append((now(), self.provider.in_flight))
            await asyncio.sleep(SAMPLE_SECONDS)

    async def kill(self, gateway: str) -> None:
        await asyncio.to_thread(self.system.kill, gateway)

    async def start(self, gateway: str) -> None:
        await asyncio.to_thread(self.system.start_part, gateway)

    async def mean_in_flight(self, seconds: float) -> float:
        """Return the mean number of requests in flight during the next `seconds`."""
        start = asyncio.get_running_loop().time()
        await asyncio.sleep(seconds)
        numbers = [number for at, number in self.in_flight if at >= start]
        return sum(numbers) / len(numbers)

    def requests_per_minute(self, start: float, stop: float) -> Iterator[int]:
        """Yield the number of requests in each minute that begins with a request and lies between two times."""
        arrivals = [request.at_seconds for request in self.provider.requests]
        for begin in arrivals:
            if start <= begin < stop - MINUTE_SECONDS:
                yield bisect_left(arrivals, begin + MINUTE_SECONDS) - bisect_left(arrivals, begin)

    @asynccontextmanager
    async def run(self, trials: int, **limits: int) -> AsyncIterator[None]:
        """Run trials on a new model with these limits inside the block, and cancel the run at its end."""
        name, task = f"model-{ULID()}", f"tricks-{str(ULID()).lower()}"
        async with channel(self.system.grpc_target("dispatch")) as dispatch:
            model = Model(
                name=name,
                provider=Provider.PROVIDER_OPENAI,
                base_url=self.provider.url,
                limits=ModelLimits(timeout_seconds=20, **limits),
            )
            await call(ModelServiceStub(dispatch).CreateModel, CreateModelRequest(model=model), CALL_SECONDS)
            requests = import_requests(task, samples(trials))
            await call(TaskServiceStub(dispatch).ImportTask, requests, CALL_SECONDS)
            runs = RunServiceStub(dispatch)
            spec = RunSpec(models=[name], tasks=[task])
            run = (await call(runs.CreateRun, CreateRunRequest(spec=spec), CALL_SECONDS)).run
            before = self.provider.count
            async with asyncio.timeout(60):
                while self.provider.count == before:
                    await asyncio.sleep(0.1)
            yield
            await call(runs.CancelRun, CancelRunRequest(id=run.id), CALL_SECONDS)


@asynccontextmanager
async def limits_harness(folder: Path, answer_seconds: float) -> AsyncIterator[LimitsHarness]:
    """Start a system in which one of four gateways is up."""
    async with ScriptedProvider(says(REFUSAL, after_seconds=answer_seconds)) as provider:
        system = await asyncio.to_thread(System.start, folder, replicas={"gateway": len(GATEWAYS)})
        try:
            harness = LimitsHarness(system, provider)
            for gateway in GATEWAYS[1:]:
                await harness.kill(gateway)
            sampling = asyncio.create_task(harness.sample())
            yield harness
            sampling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sampling
        finally:
            await asyncio.to_thread(system.stop)
