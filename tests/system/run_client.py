"""What a service would do with Libra, in a few words."""

from __future__ import annotations

import asyncio
from typing import Any

from libra.local.system import System
from libra.rpc.client import call, channel
from libra.v1.run_pb2 import CreateRunRequest, GetRunRequest, Run, RunSpec, RunState
from libra.v1.run_pb2_grpc import RunServiceStub

PATIENCE_SECONDS = 100.0
CALL_SECONDS = 20.0
LOOK_SECONDS = 0.1


class Client:
    """Creates runs and waits for them."""

    def __init__(self, system: System) -> None:
        self._dispatch = channel(system.target("dispatch"))
        self._runs = RunServiceStub(self._dispatch)

    async def close(self) -> None:
        await self._dispatch.close()

    async def create(self, **spec: Any) -> Run:
        run: Run = (await call(self._runs.CreateRun, CreateRunRequest(spec=RunSpec(**spec)), CALL_SECONDS)).run
        return run

    async def ended(self, run: str) -> Run:
        """Return the run once it has ended."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                now: Run = (await call(self._runs.GetRun, GetRunRequest(id=run), CALL_SECONDS)).run
                if now.state != RunState.RUN_STATE_RUNNING:
                    return now
                await asyncio.sleep(LOOK_SECONDS)
