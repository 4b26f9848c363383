"""Dispatch on its own port, with the catalogues of the real attack and judge services."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from prometheus_client import CollectorRegistry
from tests.integration.support.serving import serve

from libra.attack.service import AttackService
from libra.bus.nats_bus import NatsBus
from libra.dispatch.__main__ import wire
from libra.dispatch.settings import Settings
from libra.judge.service import JudgeService
from libra.process import ServiceContext
from libra.rpc.client import channel
from libra.rpc.server import RpcServer, ServedService
from libra.store.client import Store
from libra.telemetry.metrics import Metrics
from libra.v1.attack_pb2_grpc import add_AttackServiceServicer_to_server
from libra.v1.dead_letter_pb2_grpc import DeadLetterServiceStub
from libra.v1.judge_pb2_grpc import add_JudgeServiceServicer_to_server
from libra.v1.model_pb2 import Model, Provider
from libra.v1.model_pb2_grpc import ModelServiceStub
from libra.v1.round_pb2_grpc import RoundServiceStub
from libra.v1.run_pb2_grpc import RunServiceStub
from libra.v1.schedule_pb2_grpc import ScheduleServiceStub
from libra.v1.task_pb2_grpc import TaskServiceStub

from .caller import Catalogues, Dispatch, reject_request


@pytest.fixture
async def catalogues(store: Store) -> AsyncIterator[Catalogues]:
    metrics = Metrics(CollectorRegistry())
    served: list[ServedService] = [
        (add_AttackServiceServicer_to_server, AttackService(lambda _: reject_request), "libra.v1.AttackService"),
        (
            add_JudgeServiceServicer_to_server,
            JudgeService(reject_request, store.calibrations, metrics),
            "libra.v1.JudgeService",
        ),
    ]
    server = RpcServer(served, metrics)
    port = await server.start("127.0.0.1:0")
    await server.set_ready(ready=True)
    async with channel(f"127.0.0.1:{port}") as opened:
        yield Catalogues(server, opened)
    await server.stop(0)


@pytest.fixture
async def dispatch(store: Store, nats_url: str, catalogues: Catalogues) -> AsyncIterator[Dispatch]:
    """Dispatch without the built-in tasks and without workers: nothing schedules the runs that are created."""
    bus = await NatsBus.connect(nats_url, name="test")
    await bus.ensure()
    metrics = Metrics(CollectorRegistry())
    wiring = wire(
        ServiceContext(store=store, bus=bus, metrics=metrics, channel=lambda _: catalogues.channel),
        Settings(allowed_networks="loopback"),
    )
    for name in ("refuser", "complier"):
        await store.models.add(Model(name=name, provider=Provider.PROVIDER_SCRIPTED, remote_model=name))
    async with serve(*wiring.services, metrics=metrics) as opened:
        tasks, models, runs = TaskServiceStub(opened), ModelServiceStub(opened), RunServiceStub(opened)
        schedules, rounds = ScheduleServiceStub(opened), RoundServiceStub(opened)
        dead_letters = DeadLetterServiceStub(opened)
        yield Dispatch(store, bus, tasks, models, runs, dead_letters, wiring, schedules, rounds)
    await bus.close()
