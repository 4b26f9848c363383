"""A client that creates runs and waits for them."""

from __future__ import annotations

import asyncio
from typing import Any

from libra.local.system import System
from libra.rpc.client import call, channel
from libra.v1.run_pb2 import CreateRunRequest, GetRunRequest, Run, RunSpec, RunState
from libra.v1.run_pb2_grpc import RunServiceStub

RUN_SECONDS = 100.0
CALL_SECONDS = 20.0
POLL_SECONDS = 0.1


class RunClient:
    """Creates runs on a system and waits for their end."""

    def __init__(self, system: System) -> None:
        self._dispatch = channel(system.grpc_target("dispatch"))
        self._runs = RunServiceStub(self._dispatch)

    async def close(self) -> None:
        await self._dispatch.close()

    async def create(self, **spec: Any) -> Run:
        run: Run = (await call(self._runs.CreateRun, CreateRunRequest(spec=RunSpec(**spec)), CALL_SECONDS)).run
        return run

    async def wait_for_end(self, run_id: str) -> Run:
        """Return the run once it has ended."""
        async with asyncio.timeout(RUN_SECONDS):
            while True:
                run: Run = (await call(self._runs.GetRun, GetRunRequest(id=run_id), CALL_SECONDS)).run
                if run.state != RunState.RUN_STATE_RUNNING:
                    return run
                await asyncio.sleep(POLL_SECONDS)
