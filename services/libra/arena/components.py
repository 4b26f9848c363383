"""Composition of the objects behind ArenaService."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Self

import grpc.aio

from libra.arena.battles.attack_directory import AttackDirectory
from libra.arena.battles.battle_starter import BattleStarter
from libra.arena.battles.matchmaker import Matchmaker
from libra.arena.battles.model_pool import ModelPool
from libra.arena.battles.side_reader import AnswerClient
from libra.arena.battles.suggestions import Suggestions
from libra.arena.battles.turn_stream import TurnStreamer
from libra.arena.integrity.rate_limits import RateLimiter
from libra.arena.integrity.voting import VotingBooth
from libra.arena.keys import KeyRing
from libra.arena.ratings.live_ratings import LiveRatings
from libra.arena.settings import Settings
from libra.rpc.paging import PageTokens
from libra.store.client import Store
from libra.telemetry.metrics import Metrics

Announce = Callable[[], Awaitable[None]]
"""Tells the other replicas that there is a new vote."""


@dataclass(frozen=True, slots=True)
class Components:
    """One of each per process."""

    settings: Settings
    store: Store
    metrics: Metrics
    keys: KeyRing
    ratings: LiveRatings
    attacks: AttackDirectory
    pool: ModelPool
    matchmaker: Matchmaker
    suggestions: Suggestions
    starter: BattleStarter
    streamer: TurnStreamer
    booth: VotingBooth
    limiter: RateLimiter
    page_tokens: PageTokens
    announce: Announce

    @classmethod
    def create(
        cls,
        store: Store,
        metrics: Metrics,
        settings: Settings,
        channel: Callable[[str], grpc.aio.Channel],
        announce: Announce,
    ) -> Self:
        """Create the components over a store. `channel` returns the channel to an address."""
        for result in ("answered", "failed"):  # alerts divide by these counters, so they begin at 0
            metrics.arena_turns.labels(result=result)
        keys, ratings = KeyRing(), LiveRatings(store.votes, store.quarantine)
        gateway = channel(settings.gateway_address)
        attacks = AttackDirectory(channel(settings.attack_address))
        pool = ModelPool(gateway, store.entries, settings.failure_seconds)
        matchmaker, suggestions = Matchmaker(ratings.book), Suggestions(store)
        answers = AnswerClient(gateway, settings.max_tokens, settings.stall_seconds, settings.turn_seconds)
        return cls(
            settings=settings,
            store=store,
            metrics=metrics,
            keys=keys,
            ratings=ratings,
            attacks=attacks,
            pool=pool,
            matchmaker=matchmaker,
            suggestions=suggestions,
            starter=BattleStarter(store.battles, attacks, pool, matchmaker, suggestions),
            streamer=TurnStreamer(
                store.battles, metrics, pool, answers, settings.characters_per_second, settings.heartbeat_seconds
            ),
            booth=VotingBooth(store.battles, store.votes, lambda: keys.get().ballots, metrics),
            limiter=RateLimiter(
                store.arena_usage,
                lambda: keys.get().proofs,
                metrics,
                settings.battles_per_hour,
                settings.address_battles_per_hour,
            ),
            page_tokens=PageTokens(store.load_page_token_key),
            announce=announce,
        )

    async def prepare(self) -> None:
        """Create the indexes that are missing, and read the key and the votes. Raises Unavailable."""
        await self.store.ensure_indexes()
        self.keys.load(await self.store.load_arena_key())
        await self.ratings.load()
