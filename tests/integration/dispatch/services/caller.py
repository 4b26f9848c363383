"""A client of dispatch, the catalogues that dispatch queries, and a task to import."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import grpc.aio

from libra.bus.nats_bus import NatsBus
from libra.process import Wiring
from libra.rpc.client import call
from libra.rpc.server import RpcServer
from libra.store.client import Store
from libra.v1.dead_letter_pb2_grpc import DeadLetterServiceStub
from libra.v1.model_pb2_grpc import ModelServiceStub
from libra.v1.round_pb2_grpc import RoundServiceStub
from libra.v1.run_pb2 import CreateRunRequest, CreateRunResponse, GetRunRequest, Run, RunSpec
from libra.v1.run_pb2_grpc import RunServiceStub
from libra.v1.schedule_pb2_grpc import ScheduleServiceStub
from libra.v1.task_pb2 import ImportTaskHeader, ImportTaskRequest, ImportTaskResponse
from libra.v1.task_pb2_grpc import TaskServiceStub

SECONDS = 20.0
CARD = "name: mine\ncategory: capability\njudge: {name: exact, options: {field: answer}}\n"


def record(content: str, **fields: object) -> str:
    return json.dumps({"messages": [{"role": "user", "content": content}], **fields}, ensure_ascii=False)


FILE = "\n".join(record(f"Was ist {n} + ½? ☕", answer=str(n)) for n in range(120)).encode()


@dataclass
class Dispatch:
    """The clients of the service, and its store and bus."""

    store: Store
    bus: NatsBus
    tasks: TaskServiceStub
    models: ModelServiceStub
    runs: RunServiceStub
    dead_letters: DeadLetterServiceStub
    wiring: Wiring
    schedules: ScheduleServiceStub
    rounds: RoundServiceStub

    async def import_task(
        self, card: str = CARD, data: bytes = FILE, name: str = "mine.jsonl", piece: int = 97
    ) -> ImportTaskResponse:
        header = ImportTaskRequest(header=ImportTaskHeader(card_yaml=card, file_name=name))
        pieces = [ImportTaskRequest(data=data[start : start + piece]) for start in range(0, len(data), piece)]
        return await self.send([header, *pieces])

    async def send(self, requests: Sequence[ImportTaskRequest]) -> ImportTaskResponse:
        imported: ImportTaskResponse = await call(self.tasks.ImportTask, iter(requests), SECONDS)
        return imported

    async def create(self, request_id: str = "", **spec: Any) -> CreateRunResponse:
        fields = {"models": ["refuser"], "tasks": ["mine"], **spec}
        request = CreateRunRequest(spec=RunSpec(**fields), request_id=request_id)
        created: CreateRunResponse = await call(self.runs.CreateRun, request, SECONDS)
        return created

    async def run(self, run_id: str) -> Run:
        run: Run = (await call(self.runs.GetRun, GetRunRequest(id=run_id), SECONDS)).run
        return run


async def reject_request(*_: object, **__: object) -> NoReturn:
    raise AssertionError("a catalogue queries no model")


@dataclass
class Catalogues:
    """The attack and the judge service, on one port."""

    server: RpcServer
    channel: grpc.aio.Channel
