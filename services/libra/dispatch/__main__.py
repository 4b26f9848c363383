"""Run the dispatch service."""

from __future__ import annotations

from libra.dispatch import bootstrap
from libra.dispatch.dead_letter_service import DeadLetterService
from libra.dispatch.model_service import ModelService
from libra.dispatch.remote_catalogues import RemoteCatalogues
from libra.dispatch.run_service import RunService
from libra.dispatch.run_supervisor import RunSupervisor
from libra.dispatch.settings import Settings
from libra.dispatch.task_service import TaskService
from libra.process import ServiceContext, Wiring, serve, watch_backlog
from libra.rpc.paging import PageTokens
from libra.v1.dead_letter_pb2_grpc import add_DeadLetterServiceServicer_to_server
from libra.v1.model_pb2_grpc import add_ModelServiceServicer_to_server
from libra.v1.run_pb2_grpc import add_RunServiceServicer_to_server
from libra.v1.task_pb2_grpc import add_TaskServiceServicer_to_server


def wire(context: ServiceContext, settings: Settings) -> Wiring:
    """Return the services and workers of dispatch, built from the parts that every process has."""
    store, bus, metrics = context.store, context.bus, context.metrics
    supervisor = RunSupervisor(store, bus, metrics, settings)
    catalogues = RemoteCatalogues(
        store, context.channel(settings.attack_address), context.channel(settings.judge_address)
    )
    dead_letters = DeadLetterService(bus, PageTokens(store.load_page_token_key))

    async def prepare() -> None:
        await bootstrap.prepare(store)

    return Wiring(
        services=[
            (add_TaskServiceServicer_to_server, TaskService(store), "libra.v1.TaskService"),
            (add_ModelServiceServicer_to_server, ModelService(store, bus), "libra.v1.ModelService"),
            (
                add_RunServiceServicer_to_server,
                RunService(store, bus, catalogues, supervisor.wake),
                "libra.v1.RunService",
            ),
            (add_DeadLetterServiceServicer_to_server, dead_letters, "libra.v1.DeadLetterService"),
        ],
        workers=[supervisor.work, watch_backlog(bus, metrics)],
        prepare=prepare,
    )


if __name__ == "__main__":
    raise SystemExit(serve("dispatch", settings=Settings, wire=wire))
