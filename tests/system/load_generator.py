"""Runs of any size on one slow model, and measurements of the system during them."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import psutil
from tests.generated_task import import_requests, sample_lines
from ulid import ULID

from libra.bus.nats_bus import NatsBus
from libra.core.outcome_names import total_of
from libra.local.system import System
from libra.rpc.client import call, channel
from libra.testing.scripted_provider import ScriptedProvider
from libra.v1.model_pb2 import CreateModelRequest, Model, ModelLimits, Provider
from libra.v1.model_pb2_grpc import ModelServiceStub
from libra.v1.run_pb2 import CancelRunRequest, CreateRunRequest, GetRunRequest, Run, RunSpec
from libra.v1.run_pb2_grpc import RunServiceStub
from libra.v1.task_pb2_grpc import TaskServiceStub

CALL_SECONDS = 60.0
SAMPLES = 1000


@dataclass(frozen=True)
class PeakUsage:
    """Maximum values during a measurement."""

    queued: int
    """Messages in all queues, waiting or delivered and not acknowledged."""

    dispatch_bytes: int


class LoadGenerator:
    """Creates runs on one task and measures what they use."""

    def __init__(self, system: System, provider: ScriptedProvider) -> None:
        self._system, self._provider = system, provider
        self._dispatch = channel(system.grpc_target("dispatch"))
        self._runs = RunServiceStub(self._dispatch)
        self._task = f"load-{str(ULID()).lower()}"

    async def prepare(self) -> None:
        """Import the task."""
        data = sample_lines(f"How is {n} done?" for n in range(SAMPLES))
        await call(TaskServiceStub(self._dispatch).ImportTask, import_requests(self._task, data), CALL_SECONDS)

    async def close(self) -> None:
        await self._dispatch.close()

    async def add_model(self, in_flight: int) -> str:
        """Register a new model of the provider; return its name."""
        name = f"model-{ULID()}"
        limits = ModelLimits(max_in_flight=in_flight, timeout_seconds=60)
        model = Model(name=name, provider=Provider.PROVIDER_OPENAI, base_url=self._provider.url, limits=limits)
        await call(ModelServiceStub(self._dispatch).CreateModel, CreateModelRequest(model=model), CALL_SECONDS)
        return name

    async def create_run(self, model: str, trials: int, *, fresh: bool = False) -> Run:
        spec = RunSpec(models=[model], tasks=[self._task], epochs=trials // SAMPLES, fresh=fresh)
        run: Run = (await call(self._runs.CreateRun, CreateRunRequest(spec=spec), CALL_SECONDS)).run
        assert run.trials == trials
        return run

    async def wait_for_requests(self, number: int) -> None:
        """Return when the provider has received this many more requests."""
        before = self._provider.count
        async with asyncio.timeout(60):
            while self._provider.count < before + number:
                await asyncio.sleep(0.05)

    async def count_completed(self, run: Run) -> int:
        """Return the number of trials that have a verdict."""
        found: Run = (await call(self._runs.GetRun, GetRunRequest(id=run.id), CALL_SECONDS)).run
        return total_of(found.counts)

    async def cancel(self, run: Run, watch_seconds: float = 0.0) -> float:
        """Cancel a run and watch the provider; return the seconds from the cancellation to the last request."""
        await call(self._runs.CancelRun, CancelRunRequest(id=run.id), CALL_SECONDS)
        cancelled = asyncio.get_running_loop().time()
        await asyncio.sleep(watch_seconds)
        return max(0.0, self._provider.requests[-1].at_seconds - cancelled)

    async def measure(self, seconds: float) -> PeakUsage:
        """Return the peak usage during the next `seconds`."""
        dispatch = psutil.Process(self._system.pid("dispatch"))
        bus = await NatsBus.connect(self._system.nats_url, name="test")
        queued, dispatch_bytes, until = 0, 0, time.monotonic() + seconds
        while time.monotonic() < until:
            backlog = await bus.backlog()
            queued = max(queued, sum(consumer.pending + consumer.ack_pending for consumer in backlog.values()))
            dispatch_bytes = max(dispatch_bytes, dispatch.memory_info().rss)
            await asyncio.sleep(0.1)
        await bus.close()
        return PeakUsage(queued, dispatch_bytes)
