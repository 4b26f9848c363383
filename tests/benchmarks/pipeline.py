"""The pipeline as `libra up` starts it, and what it takes for a run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Self

from libra.local.system import System
from libra.local.topology import PARTS
from libra.rpc.client import call, channel
from libra.v1.model_pb2 import CreateModelRequest, Model, ModelLimits, Provider
from libra.v1.model_pb2_grpc import ModelServiceStub
from libra.v1.ranking_pb2 import AuditRunRequest
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.v1.run_pb2 import CreateRunRequest, GetRunRequest, Run, RunSpec, RunState
from libra.v1.run_pb2_grpc import RunServiceStub
from libra.v1.task_pb2 import ImportTaskHeader, ImportTaskRequest
from libra.v1.task_pb2_grpc import TaskServiceStub

from . import process_usage
from .prompts import EXPECTED, card, records

EXACT, REFUSAL = "exact", "refusal"
"""Two rules: one that compares texts, and one that looks for the words of refusals in thirty languages."""

CALL_SECONDS = 120.0
RUN_SECONDS = 900.0
SHORTEST_LOOK_SECONDS, LONGEST_LOOK_SECONDS = 0.02, 0.5
"""Progress is looked at more often towards the end: a look costs, too."""
PIECE_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Measured:
    """One run: from the call that creates it until every verdict is durable."""

    trials: int
    seconds: float
    cpu_seconds: dict[str, float]
    """By part."""

    @property
    def rate(self) -> float:
        return self.trials / self.seconds


class Pipeline:
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

    async def add_task(self, name: str, samples: int) -> None:
        data = records(samples)

        async def requests() -> AsyncIterator[ImportTaskRequest]:
            yield ImportTaskRequest(header=ImportTaskHeader(card_yaml=card(name), file_name=f"{name}.jsonl"))
            for start in range(0, len(data), PIECE_BYTES):
                yield ImportTaskRequest(data=data[start : start + PIECE_BYTES])

        await call(self._tasks.ImportTask, requests(), CALL_SECONDS)

    async def measured(self, model: str, task: str, epochs: int = 1, judge: str = REFUSAL) -> Measured:
        """Make a run that takes no answer from another one, and wait for its last verdict; fail if an audit finds fault."""
        before = process_usage.cpu_seconds(self.pids)
        started = time.perf_counter()
        run = await self._create(model, task, epochs, judge)
        trials = run.trials
        await self._settled(run.id, trials)
        seconds = time.perf_counter() - started
        after = process_usage.cpu_seconds(self.pids)
        await self._check(run.id, trials)
        return Measured(trials, seconds, {name: after[name] - before[name] for name in after})

    async def _create(self, model: str, task: str, epochs: int, judge: str) -> Run:
        spec = RunSpec(models=[model], tasks=[task], epochs=epochs, fresh=True, judges={"*": judge})
        if judge == EXACT:
            spec.judge_options["field"] = EXPECTED
        run: Run = (await call(self._runs.CreateRun, CreateRunRequest(spec=spec), CALL_SECONDS)).run
        return run

    async def _run(self, run: str) -> Run:
        now: Run = (await call(self._runs.GetRun, GetRunRequest(id=run), CALL_SECONDS)).run
        return now

    async def _settled(self, run: str, trials: int) -> None:
        started = time.monotonic()
        async with asyncio.timeout(RUN_SECONDS):
            while True:
                counts = (await self._run(run)).counts
                settled = counts.scored + counts.filtered + counts.unjudged + counts.failed
                if settled >= trials:
                    return
                left_seconds = (time.monotonic() - started) * (trials - settled) / max(settled, 1)
                await asyncio.sleep(min(max(left_seconds / 4, SHORTEST_LOOK_SECONDS), LONGEST_LOOK_SECONDS))

    async def _check(self, run: str, trials: int) -> None:
        async with asyncio.timeout(RUN_SECONDS):
            while (ended := await self._run(run)).state == RunState.RUN_STATE_RUNNING:
                await asyncio.sleep(LONGEST_LOOK_SECONDS)
        audit = await call(self._boards.AuditRun, AuditRunRequest(run=run), RUN_SECONDS)
        if ended.counts.scored != trials or audit.findings:
            raise AssertionError(f"the run {run} is not sound: {ended.counts} {audit.findings}")
