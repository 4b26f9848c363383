"""Run the dispatch service."""

from __future__ import annotations

from libra.bus.dead_letters import DeadLetters
from libra.dispatch import bootstrap
from libra.dispatch.access.audit_log_service import AuditLogService
from libra.dispatch.access.token_service import TokenService
from libra.dispatch.control.dead_letter_service import DeadLetterService
from libra.dispatch.control.migration_worker import MigrationWorker
from libra.dispatch.control.retention_worker import RetentionWorker
from libra.dispatch.control.service import RunControlService
from libra.dispatch.model_service import ModelService
from libra.dispatch.models.registration import ModelRegistration
from libra.dispatch.remote_catalogues import RemoteCatalogues
from libra.dispatch.rounds.service import RoundService
from libra.dispatch.run_service import RunService
from libra.dispatch.run_supervisor import RunSupervisor
from libra.dispatch.schedules.schedule_worker import ScheduleWorker
from libra.dispatch.schedules.service import ScheduleService
from libra.dispatch.settings import Settings
from libra.dispatch.task_service import TaskService
from libra.dispatch.webhooks.wiring import Webhooks
from libra.process import ServiceContext, Wiring, serve, watch_backlog
from libra.rpc.paging import PageTokens
from libra.v1.audit_log_pb2_grpc import add_AuditLogServiceServicer_to_server
from libra.v1.dead_letter_pb2_grpc import add_DeadLetterServiceServicer_to_server
from libra.v1.model_pb2_grpc import add_ModelServiceServicer_to_server
from libra.v1.round_pb2_grpc import add_RoundServiceServicer_to_server
from libra.v1.run_control_pb2_grpc import add_RunControlServiceServicer_to_server
from libra.v1.run_pb2_grpc import add_RunServiceServicer_to_server
from libra.v1.schedule_pb2_grpc import add_ScheduleServiceServicer_to_server
from libra.v1.task_pb2_grpc import add_TaskServiceServicer_to_server
from libra.v1.token_pb2_grpc import add_TokenServiceServicer_to_server
from libra.v1.webhook_pb2_grpc import add_WebhookServiceServicer_to_server


def wire(context: ServiceContext, settings: Settings) -> Wiring:
    """Return the services and workers of dispatch, built from the parts that every process has."""
    store, bus, metrics = context.store, context.bus, context.metrics
    supervisor = RunSupervisor(store, bus, metrics, settings)
    catalogues = RemoteCatalogues(
        store, context.channel(settings.attack_address), context.channel(settings.judge_address)
    )
    registration = ModelRegistration(settings.address_policy(), settings.key_rules(), store.key_hosts)
    runs = RunService(store, bus, catalogues, supervisor.wake)
    schedules = ScheduleWorker(store, runs.create, metrics)
    dead_letters = DeadLetterService(bus, PageTokens(store.load_page_token_key), store.seals)

    audit_log = AuditLogService(store.audit_log, PageTokens(store.load_page_token_key))

    webhooks = Webhooks(store, settings, metrics)
    migrations = MigrationWorker(store)
    retention = RetentionWorker(store, DeadLetters(bus), settings.retention_policy(), settings.keep_dead_letters_days)

    async def prepare() -> None:
        await bootstrap.prepare(store, registration)

    return Wiring(
        services=[
            (add_TaskServiceServicer_to_server, TaskService(store), "libra.v1.TaskService"),
            (add_ModelServiceServicer_to_server, ModelService(store, bus, registration), "libra.v1.ModelService"),
            (add_RunServiceServicer_to_server, runs, "libra.v1.RunService"),
            (
                add_RunControlServiceServicer_to_server,
                RunControlService(store, bus, runs, supervisor.wake),
                "libra.v1.RunControlService",
            ),
            (add_ScheduleServiceServicer_to_server, ScheduleService(store, runs.check), "libra.v1.ScheduleService"),
            (add_WebhookServiceServicer_to_server, webhooks.service, "libra.v1.WebhookService"),
            (add_DeadLetterServiceServicer_to_server, dead_letters, "libra.v1.DeadLetterService"),
            (add_TokenServiceServicer_to_server, TokenService(store.tokens), "libra.v1.TokenService"),
            (add_AuditLogServiceServicer_to_server, audit_log, "libra.v1.AuditLogService"),
            (add_RoundServiceServicer_to_server, RoundService(store, catalogues), "libra.v1.RoundService"),
        ],
        workers=[
            *(supervisor.work, schedules.work, webhooks.outbox.work, webhooks.work),
            *(migrations.work, retention.work, watch_backlog(bus, store, metrics)),
        ],
        prepare=prepare,
    )


if __name__ == "__main__":
    raise SystemExit(serve("dispatch", settings=Settings, wire=wire))
