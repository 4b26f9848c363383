"""Runs the arena service."""

from __future__ import annotations

import asyncio

from libra.arena.components import Components
from libra.arena.ratings.live_ratings import repeat
from libra.arena.service import ArenaService
from libra.arena.settings import Settings
from libra.bus import streams
from libra.process import ServiceContext, Wiring, serve
from libra.v1.arena_pb2_grpc import add_ArenaServiceServicer_to_server


def wire(context: ServiceContext, settings: Settings) -> Wiring:
    """Build the service from the context that every process has."""

    async def announce() -> None:
        await context.bus.signal(streams.event_votes(), b"")

    components = Components.create(context.store, context.metrics, settings, context.channel, announce)
    ratings = components.ratings

    async def listen(stop: asyncio.Event) -> None:
        await ratings.listen(context.bus.listen(streams.event_votes()), stop)

    async def follow(stop: asyncio.Event) -> None:
        await ratings.follow(stop, settings.look_seconds)

    async def refresh(stop: asyncio.Event) -> None:
        await repeat(ratings.refresh, stop, settings.refresh_seconds)

    async def refresh_robustness(stop: asyncio.Event) -> None:
        await repeat(ratings.refresh_robustness, stop, settings.robustness_seconds)

    return Wiring(
        services=[(add_ArenaServiceServicer_to_server, ArenaService(components), "libra.v1.ArenaService")],
        workers=[listen, follow, refresh, refresh_robustness],
        prepare=components.prepare,
    )


if __name__ == "__main__":
    raise SystemExit(serve("arena", settings=Settings, wire=wire))
