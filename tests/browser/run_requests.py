"""Creates further runs on the local system, for pages that need one that goes on or that no judge could decide."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from libra.local.system import System
from libra.rpc.client import call, channel
from libra.v1.run_pb2 import CreateRunRequest, GetRunRequest, RunSpec, RunState
from libra.v1.run_pb2_grpc import RunServiceStub

CALL_SECONDS = 20.0
RUN_SECONDS = 60.0
POLL_SECONDS = 0.2


def create_run(system: System, spec: RunSpec, *, wait: bool) -> str:
    """Create a run, and wait for its end if `wait`; return its id."""
    with ThreadPoolExecutor(1) as pool:  # the browser's event loop runs in this thread
        return pool.submit(lambda: asyncio.run(_create_run(system, spec, wait=wait))).result()


def unjudged_spec() -> RunSpec:
    """Return a run whose judge, a model that only refuses, decides nothing."""
    return RunSpec(
        name="undecided",
        models=["refuser"],
        tasks=["disguised_requests"],
        attacks=["none", "base64"],
        samples_per_task=3,
        judge_model="refuser",
        judges={"*": "model"},
        judge_options={"rubric": "Is the answer kind?", "model": "refuser"},
    )


def endless_spec(name: str) -> RunSpec:
    """Return a run of a model whose provider does not answer any more."""
    spec = RunSpec(name=name, models=["aurora-72b"], tasks=["arithmetic"], samples_per_task=5, fresh=True)
    spec.budget.requests = 1000
    return spec


async def _create_run(system: System, spec: RunSpec, *, wait: bool) -> str:
    async with channel(system.grpc_target("dispatch")) as dispatch, asyncio.timeout(RUN_SECONDS):
        runs = RunServiceStub(dispatch)
        run = (await call(runs.CreateRun, CreateRunRequest(spec=spec), CALL_SECONDS)).run.id
        while wait and (await call(runs.GetRun, GetRunRequest(id=run), CALL_SECONDS)).run.state == (
            RunState.RUN_STATE_RUNNING
        ):
            await asyncio.sleep(POLL_SECONDS)
        return str(run)
