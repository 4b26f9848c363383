"""The smallest possible service; LIBRA_TINY_MODE chooses the behaviour of its worker."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Literal

import grpc.aio
import structlog

from libra.core.errors import Unavailable
from libra.process import ServiceContext, Wiring, serve, watch_backlog
from libra.store.client import Store
from libra.v1.run_pb2 import ListRunsRequest, ListRunsResponse
from libra.v1.run_pb2_grpc import RunServiceServicer, add_RunServiceServicer_to_server

log = structlog.get_logger("libra.tiny")


@dataclass(frozen=True, slots=True)
class Settings:
    mode: Literal["well", "bug", "ends", "slow", "unavailable"] = "well"
    slots: int = 1


class RunService(RunServiceServicer):
    def __init__(self, store: Store) -> None:
        self._store = store

    async def ListRuns(self, request: ListRunsRequest, context: grpc.aio.ServicerContext) -> ListRunsResponse:
        records = await self._store.runs.list(before="", limit=10)
        return ListRunsResponse(runs=[record.run for record in records])


def wire(context: ServiceContext, settings: Settings) -> Wiring:
    attempts = 0

    async def work(stop: asyncio.Event) -> None:
        nonlocal attempts
        attempts += 1
        if settings.mode == "unavailable" and attempts < 3:
            raise Unavailable(f"attempt {attempts}")
        log.info("working", attempts=attempts)
        if settings.mode == "bug":
            raise ZeroDivisionError
        if settings.mode == "ends":
            return
        await stop.wait()
        await asyncio.sleep({"slow": 20.0}.get(settings.mode, 0.3))
        log.info("the worker has finished")

    service = RunService(context.store)  # type: ignore[abstract]  # abstract only in the types: other methods are UNIMPLEMENTED
    services = [(add_RunServiceServicer_to_server, service, "libra.v1.RunService")]
    workers = [work, watch_backlog(context.bus, context.store, context.metrics, poll_seconds=0.2)]
    return Wiring(services=services, workers=workers, prepare=context.store.ensure_indexes)


if __name__ == "__main__":
    raise SystemExit(serve("tiny", settings=Settings, wire=wire))
