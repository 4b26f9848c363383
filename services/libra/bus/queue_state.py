"""Reads the state of queues for metrics: the oldest message of a consumer, the size of streams, stored dead letters."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import nats.errors
from nats.js.errors import NotFoundError

from libra.bus import streams
from libra.bus.dead_letters import DEAD
from libra.bus.nats_bus import NatsBus


@dataclass(frozen=True, slots=True)
class StreamSize:
    """The size of a stream in bytes."""

    used: int
    limit: int
    """Once it is reached, the stream takes no more messages."""


async def read_oldest_time(bus: NatsBus, consumer: str) -> dt.datetime | None:
    """Return when the oldest message was stored that the consumer has not acknowledged; None without one.

    The answer is the stream leader's, and carries the message itself. Raises Unavailable.
    """
    what, stream = f"read the oldest message of {consumer}", streams.stream_of(consumer)
    subject = str(streams.consumer_config(consumer).filter_subject)
    with bus.translate_errors(what):
        try:
            message = await bus.jetstream(what).get_msg(stream, seq=1, subject=subject, next=True)
        except NotFoundError:
            return None
    return message.time


async def read_stream_sizes(bus: NatsBus) -> Mapping[str, StreamSize]:
    """Return the size of each stream by its name; raise Unavailable."""
    what = "read the size of the streams"
    names = {str(stream.name) for stream in streams.STREAMS}
    with bus.translate_errors(what):
        found = await bus.jetstream(what).streams_info()
    return {
        str(info.config.name): StreamSize(info.state.bytes, info.config.max_bytes or 0)
        for info in found
        if info.config.name in names
    }


async def count_dead_letters(bus: NatsBus) -> Mapping[str, int]:
    """Return the number of stored dead letters by stage; raise Unavailable."""
    what, prefix = "count the dead letters", streams.dead_letter_subject("")
    with bus.translate_errors(what):
        try:
            info = await bus.jetstream(what).stream_info(DEAD, subjects_filter=f"{prefix}>")
        except (NotFoundError, nats.errors.NoRespondersError):  # the server has lost its data
            return {}
    return {subject.removeprefix(prefix): count for subject, count in (info.state.subjects or {}).items()}
