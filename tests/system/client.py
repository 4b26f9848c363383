"""What a service would do with Libra, in a few words."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from libra.errors import Unavailable
from libra.local.system import System
from libra.rpc.client import call, channel
from libra.v1.model_pb2 import CreateModelRequest, Model
from libra.v1.model_pb2_grpc import ModelServiceStub
from libra.v1.ranking_pb2 import AuditRunRequest
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.v1.run_pb2 import CreateRunRequest, GetRunRequest, Run, RunSpec, RunState
from libra.v1.run_pb2_grpc import RunServiceStub

PATIENCE_SECONDS = 100.0
CALL_SECONDS = 20.0
LOOK_SECONDS = 0.1


class Client:
    """Creates runs, waits for them, and audits them."""

    def __init__(self, system: System) -> None:
        self._dispatch, self._ranking = channel(system.addresses["dispatch"]), channel(system.addresses["ranking"])
        self._models, self._runs = ModelServiceStub(self._dispatch), RunServiceStub(self._dispatch)
        self._audits = RankingServiceStub(self._ranking)

    async def close(self) -> None:
        await self._dispatch.close()
        await self._ranking.close()

    async def add(self, model: Model) -> None:
        await call(self._models.CreateModel, CreateModelRequest(model=model), CALL_SECONDS)

    async def create(self, **spec: Any) -> Run:
        return (await call(self._runs.CreateRun, CreateRunRequest(spec=RunSpec(**spec)), CALL_SECONDS)).run

    async def get(self, run: str) -> Run:
        return (await call(self._runs.GetRun, GetRunRequest(id=run), CALL_SECONDS)).run

    async def reached(self, run: str, settled: int) -> Run:
        """Return the run once so many of its trials have their verdict, or it has ended."""
        return await self._once(run, lambda now: now.revision > settled)

    async def ended(self, run: str) -> Run:
        """Return the run once it has ended."""
        return await self._once(run, lambda _: False)

    async def _once(self, run: str, enough: Callable[[Run], bool]) -> Run:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                with contextlib.suppress(Unavailable):  # whoever was asked is being started again
                    now = await self.get(run)
                    if now.state != RunState.RUN_STATE_RUNNING or enough(now):
                        return now
                await asyncio.sleep(LOOK_SECONDS)

    async def findings(self, run: str) -> list[str]:
        """Return what an audit of the run finds wrong."""
        audit = await call(self._audits.AuditRun, AuditRunRequest(run=run), CALL_SECONDS)
        assert audit.verdicts
        assert audit.cells
        return [f"{finding.law}: {finding.message}" for finding in audit.findings]
