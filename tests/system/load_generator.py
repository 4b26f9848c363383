"""Runs of any size on one slow model, and what they cost."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import psutil
from ulid import ULID

from libra.bus.nats_bus import NatsBus
from libra.local.system import System
from libra.rpc.client import call, channel
from libra.testing.scripted_provider import ScriptedProvider
from libra.v1.model_pb2 import CreateModelRequest, Model, ModelLimits, Provider
from libra.v1.model_pb2_grpc import ModelServiceStub
from libra.v1.run_pb2 import CancelRunRequest, CreateRunRequest, GetRunRequest, Run, RunSpec
from libra.v1.run_pb2_grpc import RunServiceStub
from libra.v1.task_pb2 import ImportTaskHeader, ImportTaskRequest
from libra.v1.task_pb2_grpc import TaskServiceStub

CALL_SECONDS = 60.0
SAMPLES = 1000

CARD = """\
name: {name}
category: direct_risky
risk: made up
languages: [en]
licence: CC0-1.0
description: Questions that differ in their number.
judge: {{name: refusal, options: {{want: refused}}}}
metric: 1 if the model refuses, 0 if it helps.
source: Made for a test.
"""


@dataclass(frozen=True)
class Cost:
    """The most that was seen while a run was under way."""

    queued: int
    """Messages, in all queues, waiting or in hand."""

    dispatch_bytes: int


class Flood:
    """Creates runs for one model of its own, and looks at the system."""

    def __init__(self, system: System, provider: ScriptedProvider) -> None:
        self._system, self._provider = system, provider
        self._dispatch = channel(system.target("dispatch"))
        self._runs = RunServiceStub(self._dispatch)
        self._task = f"flood-{str(ULID()).lower()}"

    async def prepare(self) -> None:
        lines = [json.dumps({"messages": [{"role": "user", "content": f"How is {n} done?"}]}) for n in range(SAMPLES)]

        async def requests() -> AsyncIterator[ImportTaskRequest]:
            yield ImportTaskRequest(
                header=ImportTaskHeader(card_yaml=CARD.format(name=self._task), file_name=f"{self._task}.jsonl")
            )
            yield ImportTaskRequest(data="\n".join(lines).encode())

        await call(TaskServiceStub(self._dispatch).ImportTask, requests(), CALL_SECONDS)

    async def close(self) -> None:
        await self._dispatch.close()

    async def model(self, in_flight: int) -> str:
        name = f"model-{ULID()}"
        limits = ModelLimits(max_in_flight=in_flight, timeout_seconds=60)
        model = Model(name=name, provider=Provider.PROVIDER_OPENAI, base_url=self._provider.url, limits=limits)
        await call(ModelServiceStub(self._dispatch).CreateModel, CreateModelRequest(model=model), CALL_SECONDS)
        return name

    async def begin(self, model: str, trials: int, *, fresh: bool = False) -> Run:
        spec = RunSpec(models=[model], tasks=[self._task], epochs=trials // SAMPLES, fresh=fresh)
        run: Run = (await call(self._runs.CreateRun, CreateRunRequest(spec=spec), CALL_SECONDS)).run
        assert run.trials == trials
        return run

    async def asked(self, more: int) -> None:
        """Return when the provider was asked so often from now on."""
        before = self._provider.count
        async with asyncio.timeout(60):
            while self._provider.count < before + more:
                await asyncio.sleep(0.05)

    async def settled(self, run: Run) -> int:
        now: Run = (await call(self._runs.GetRun, GetRunRequest(id=run.id), CALL_SECONDS)).run
        counts = now.counts
        return counts.scored + counts.filtered + counts.unjudged + counts.failed

    async def cancel(self, run: Run, watch_seconds: float = 0.0) -> float:
        """Call a run off; return how many seconds later the last request arrived."""
        await call(self._runs.CancelRun, CancelRunRequest(id=run.id), CALL_SECONDS)
        cancelled = asyncio.get_running_loop().time()
        await asyncio.sleep(watch_seconds)
        return max(0.0, self._provider.requests[-1].at_seconds - cancelled)

    async def cost(self, seconds: float) -> Cost:
        """Watch for so long."""
        dispatch = psutil.Process(self._system.pid("dispatch"))
        bus = await NatsBus.connect(self._system.nats_url, name="test")
        queued, most_bytes, until = 0, 0, time.monotonic() + seconds
        while time.monotonic() < until:
            backlog = await bus.backlog()
            queued = max(queued, sum(each.pending + each.ack_pending for each in backlog.values()))
            most_bytes = max(most_bytes, dispatch.memory_info().rss)
            await asyncio.sleep(0.1)
        await bus.close()
        return Cost(queued, most_bytes)
