"""The pipeline as `libra up` starts it, and measurements of its runs."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Self

from tests.generated_task import import_requests

from libra.core.outcome_names import total_of
from libra.local.system import System
from libra.local.topology import PARTS
from libra.rpc.client import call, channel
from libra.v1.model_pb2 import CreateModelRequest, Model, ModelLimits, Provider
from libra.v1.model_pb2_grpc import ModelServiceStub
from libra.v1.ranking_pb2 import AuditRunRequest
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.v1.run_pb2 import CreateRunRequest, GetRunRequest, Run, RunSpec, RunState
from libra.v1.run_pb2_grpc import RunServiceStub
from libra.v1.task_pb2_grpc import TaskServiceStub

from . import process_usage
from .prompts import EXPECTED, samples

EXACT, REFUSAL = "exact", "refusal"
"""Two rule judges: one compares texts, the other searches for the words of refusals in thirty languages."""

CALL_SECONDS = 120.0
RUN_SECONDS = 900.0
MIN_POLL_SECONDS, MAX_POLL_SECONDS = 0.02, 0.5
"""The interval of progress polls is shorter towards the end of a run: a poll uses CPU time, too."""


@dataclass(frozen=True, slots=True)
class PipelineRun:
    """One run, from the call that creates it until every verdict is durable."""

    trials: int
    seconds: float
    cpu_seconds: dict[str, float]
    """By process."""

    @property
    def rate(self) -> float:
        """Trials per second."""
        return self.trials / self.seconds


class Pipeline:
    """Adds models and tasks to a system, and runs them."""

    def __init__(self, system: System) -> None:
        self.system = system
        self._dispatch, self._ranking = channel(system.addresses["dispatch"]), channel(system.addresses["ranking"])
        self._models, self._runs = ModelServiceStub(self._dispatch), RunServiceStub(self._dispatch)
        self._tasks, self._boards = TaskServiceStub(self._dispatch), RankingServiceStub(self._ranking)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._dispatch.close()
        await self._ranking.close()

    @property
    def pids(self) -> dict[str, int]:
        return {name: self.system.pid(name) for name in PARTS}

    async def add_model(self, name: str, url: str, in_flight: int) -> None:
        limits = ModelLimits(max_in_flight=in_flight)
        model = Model(name=name, provider=Provider.PROVIDER_OPENAI, base_url=url, remote_model="mock", limits=limits)
        await call(self._models.CreateModel, CreateModelRequest(model=model), CALL_SECONDS)

    async def add_task(self, name: str, sample_count: int) -> None:
        requests = import_requests(name, samples(sample_count))
        await call(self._tasks.ImportTask, requests, CALL_SECONDS)

    async def measure_run(self, model: str, task: str, epochs: int = 1, judge: str = REFUSAL) -> PipelineRun:
        """Run a task without stored completions, and wait for its last verdict; fail if its audit has findings."""
        before = process_usage.cpu_seconds(self.pids)
        started = time.perf_counter()
        run = await self._create(model, task, epochs, judge)
        trials = run.trials
        await self._wait_for_verdicts(run.id, trials)
        seconds = time.perf_counter() - started
        after = process_usage.cpu_seconds(self.pids)
        await self._check_run(run.id, trials)
        return PipelineRun(trials, seconds, {name: after[name] - before[name] for name in after})

    async def _create(self, model: str, task: str, epochs: int, judge: str) -> Run:
        spec = RunSpec(models=[model], tasks=[task], epochs=epochs, fresh=True, judges={"*": judge})
        if judge == EXACT:
            spec.judge_options["field"] = EXPECTED
        run: Run = (await call(self._runs.CreateRun, CreateRunRequest(spec=spec), CALL_SECONDS)).run
        return run

    async def _get_run(self, run: str) -> Run:
        found: Run = (await call(self._runs.GetRun, GetRunRequest(id=run), CALL_SECONDS)).run
        return found

    async def _wait_for_verdicts(self, run: str, trials: int) -> None:
        started = time.monotonic()
        async with asyncio.timeout(RUN_SECONDS):
            while True:
                completed = total_of((await self._get_run(run)).counts)
                if completed >= trials:
                    return
                remaining_seconds = (time.monotonic() - started) * (trials - completed) / max(completed, 1)
                await asyncio.sleep(min(max(remaining_seconds / 4, MIN_POLL_SECONDS), MAX_POLL_SECONDS))

    async def _check_run(self, run: str, trials: int) -> None:
        async with asyncio.timeout(RUN_SECONDS):
            while (ended := await self._get_run(run)).state == RunState.RUN_STATE_RUNNING:
                await asyncio.sleep(MAX_POLL_SECONDS)
        audit = await call(self._boards.AuditRun, AuditRunRequest(run=run), RUN_SECONDS)
        if ended.counts.scored != trials or audit.findings:
            raise AssertionError(f"the run {run} fails its audit: {ended.counts} {audit.findings}")
