"""The settings of the arena service: the environment variables LIBRA_ARENA_*."""

from __future__ import annotations

from dataclasses import dataclass

from libra.core.settings import Count, Seconds, Target


@dataclass(frozen=True, slots=True)
class Settings:
    """Addresses, limits of visitors, the pace of answers, and how often ratings are refreshed."""

    gateway_address: Target = "127.0.0.1:50053"
    """Address of the gateway's gRPC server."""

    attack_address: Target = "127.0.0.1:50052"
    """Address of the attack service's gRPC server."""

    battles_per_hour: Count = 60
    """Maximum number of battles that a visitor starts in an hour. From half of it on, each costs a proof of work."""

    address_battles_per_hour: Count = 300
    """The same for all visitors of one address."""

    ballot_seconds: Seconds = 7_200.0
    """A vote is accepted for this long after the start of its battle."""

    max_tokens: Count = 1_024
    """Maximum number of tokens in an answer."""

    stall_seconds: Seconds = 60.0
    """A model that sends nothing for this long has failed, its wait for the limits of the model included."""

    turn_seconds: Seconds = 240.0
    """A model whose answer takes longer than this has failed."""

    failure_seconds: Seconds = 300.0
    """A model that failed in a battle is left out of the choice of pairs for this long."""

    characters_per_second: Count = 160
    """The pace at which both answers are shown at most: a fast reader's. It is lower if the slower model needs it."""

    heartbeat_seconds: Seconds = 5.0
    """The interval after which a stream without an event sends a heartbeat."""

    refresh_seconds: Seconds = 10.0
    """The pause between two computations of intervals and of the quarantine."""

    robustness_seconds: Seconds = 60.0
    """The pause between two computations of votes-to-change and of the voters' skill, which take longer."""

    look_seconds: Seconds = 1.0
    """The interval at which votes of other replicas are read when no signal arrives."""
