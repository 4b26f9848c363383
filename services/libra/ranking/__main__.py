"""Run the ranking service."""

from __future__ import annotations

import asyncio

from libra.bus import streams
from libra.process import ServiceContext, Wiring, serve
from libra.ranking.change_notifier import ChangeNotifier
from libra.ranking.commit_metrics import recorder
from libra.ranking.run_event_publisher import RunEventPublisher
from libra.ranking.service import RankingService
from libra.ranking.settings import Settings
from libra.ranking.stage import stage
from libra.stage.runner import run
from libra.v1.ranking_pb2_grpc import add_RankingServiceServicer_to_server


def wire(parts: ServiceContext, settings: Settings) -> Wiring:
    """Put the service together from the parts that every process has."""
    bell, announcer = ChangeNotifier(), RunEventPublisher(parts.bus.signal, settings.signal_seconds)
    writing = stage(parts.store, announcer.moved, settings)
    parts.store.verdicts.add_observer(recorder(parts.metrics))

    async def work(stop: asyncio.Event) -> None:
        await run(writing, streams.RANKING_CONSUMER, parts.bus, stop, parts.metrics)

    async def listen(stop: asyncio.Event) -> None:
        await bell.listen(parts.bus.listen(streams.event_board()), stop)

    service = RankingService(parts.store, bell, settings)
    return Wiring(
        services=[(add_RankingServiceServicer_to_server, service, "libra.v1.RankingService")],
        workers=[work, announcer.work, listen, service.end_at],
        prepare=parts.store.ensure_indexes,
    )


if __name__ == "__main__":
    raise SystemExit(serve("ranking", settings=Settings, wire=wire))
