"""Runs the ranking service."""

from __future__ import annotations

import asyncio

from libra.bus import streams
from libra.process import ServiceContext, Wiring, serve
from libra.ranking.change_notifier import ChangeNotifier
from libra.ranking.gate_service import GateService
from libra.ranking.labels.annotation_service import AnnotationService
from libra.ranking.labels.label_service import LabelService
from libra.ranking.queries.result_metrics import watch_boards
from libra.ranking.run_event_publisher import RunEventPublisher
from libra.ranking.service import RankingService
from libra.ranking.settings import Settings
from libra.ranking.stage import commit_observer, stage
from libra.stage.runner import run
from libra.v1.annotation_pb2_grpc import add_AnnotationServiceServicer_to_server
from libra.v1.gate_pb2_grpc import add_GateServiceServicer_to_server
from libra.v1.label_pb2_grpc import add_LabelServiceServicer_to_server
from libra.v1.ranking_pb2_grpc import add_RankingServiceServicer_to_server


def wire(context: ServiceContext, settings: Settings) -> Wiring:
    """Build the service from the context that every process has."""
    notifier, publisher = ChangeNotifier(), RunEventPublisher(context.bus.signal, settings.signal_seconds)
    ranking_stage = stage(context.store, publisher.mark_changed, settings)
    context.store.verdicts.add_observer(commit_observer(context.metrics))

    async def run_stage(stop: asyncio.Event) -> None:
        await run(ranking_stage, streams.RANKING_CONSUMER, context.bus, stop, context.metrics)

    async def listen(stop: asyncio.Event) -> None:
        await notifier.listen(context.bus.listen(streams.event_board()), stop)

    async def watch(stop: asyncio.Event) -> None:
        await watch_boards(context.store.runs, context.metrics, stop)

    service = RankingService(context.store, notifier, settings, context.metrics)
    return Wiring(
        services=[
            (add_RankingServiceServicer_to_server, service, "libra.v1.RankingService"),
            (add_GateServiceServicer_to_server, GateService(context.store), "libra.v1.GateService"),
            (add_LabelServiceServicer_to_server, LabelService(context.store), "libra.v1.LabelService"),
            (add_AnnotationServiceServicer_to_server, AnnotationService(context.store), "libra.v1.AnnotationService"),
        ],
        workers=[run_stage, publisher.run, listen, service.close_after, watch],
        prepare=context.store.ensure_indexes,
    )


if __name__ == "__main__":
    raise SystemExit(serve("ranking", settings=Settings, wire=wire))
