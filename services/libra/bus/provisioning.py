"""Make the streams and consumers that are not there, and compare those that are.

The server would silently change a consumer to whatever it is told (`add_consumer`), also one that replicas of another version
are working with: so nothing that is there is ever touched.
"""

from __future__ import annotations

from typing import Any

import structlog
from nats.js import JetStreamContext
from nats.js.api import KeyValueConfig, StorageType, StreamConfig
from nats.js.errors import APIError, NotFoundError

from libra.bus import streams
from libra.bus.error_translation import FULL
from libra.errors import LibraError
from libra.telemetry.log_actions import Action

log = structlog.get_logger(__name__)

STREAM_TERMS = (
    "subjects",
    "retention",
    "discard",
    "discard_new_per_subject",
    "max_msgs",
    "max_msgs_per_subject",
    "max_age",
    "duplicate_window",
    "allow_direct",
)
CONSUMER_TERMS = (
    "filter_subject",
    "deliver_policy",
    "ack_policy",
    "ack_wait",
    "max_deliver",
    "max_ack_pending",
    "backoff",
)
"""What Libra's promises rest on. The rest, as size and the number of replicas, belongs to whoever runs the server."""

UNLIMITED = (None, -1, 0, False)


class LayoutDiffers(LibraError):
    """A stream or consumer is there but is not what Libra needs; the message says in what, and what to do."""


class NoRoom(LibraError):
    """JetStream cannot set aside the room that a stream needs; the message says how much that is, and what to do."""


async def ensure(js: JetStreamContext, *, replicas: int, stage_bytes: int, ack_wait_seconds: float) -> None:
    """Have the streams and the consumers that are always there. LayoutDiffers if one is there and is another; NoRoom."""
    for config in streams.STREAMS:
        try:
            found = await js.stream_info(str(config.name))
        except NotFoundError:
            await _make(js, config, replicas, stage_bytes)
        else:
            _compare(f"the stream {config.name}", config, found.config, STREAM_TERMS)
    for consumer in streams.FIXED_CONSUMERS:
        await ensure_consumer(js, consumer, ack_wait_seconds=ack_wait_seconds)
    await ensure_bucket(js, streams.GRANTS, replicas=replicas)


async def ensure_consumer(js: JetStreamContext, consumer: str, *, ack_wait_seconds: float) -> None:
    """Have the consumer of this name. LayoutDiffers if it is there and is another."""
    config = streams.consumer_config(consumer, ack_wait_seconds)
    stream = streams.stream_of(consumer)
    try:
        found = await js.consumer_info(stream, consumer)
    except NotFoundError:
        await js.add_consumer(stream, config)
        log.info("a consumer was made", action=Action.CONSUMER_MADE, consumer=consumer)
    else:
        _compare(f"the consumer {consumer} of {stream}", config, found.config, CONSUMER_TERMS)


async def ensure_bucket(js: JetStreamContext, name: str, *, replicas: int) -> None:
    """Have the bucket of this name, in the server's memory: its disk may be full."""
    try:
        await js.stream_info(f"KV_{name}")
    except NotFoundError:
        config = KeyValueConfig(bucket=name, history=1, storage=StorageType.MEMORY, replicas=replicas, direct=False)
        await js.create_key_value(config)
        log.info("a bucket was made", action=Action.STREAM_MADE, stream=f"KV_{name}")


async def _make(js: JetStreamContext, config: StreamConfig, replicas: int, stage_bytes: int) -> None:
    try:
        await js.add_stream(config, num_replicas=replicas, max_bytes=stage_bytes)
    except APIError as error:
        if error.err_code not in FULL:
            raise
        raise NoRoom(
            f"JetStream has no room for the stream {config.name}: {len(streams.STREAMS)} streams of {stage_bytes:,} bytes "
            "are needed. Give nats-server a larger max_file_store, or set LIBRA_NATS_STAGE_BYTES to less"
        ) from error
    log.info("a stream was made", action=Action.STREAM_MADE, stream=config.name)


def _compare(what: str, needed: object, found: object, terms: tuple[str, ...]) -> None:
    differing = [
        f"{term} is {getattr(found, term)!r} and must be {getattr(needed, term)!r}"
        for term in terms
        if _plain(getattr(found, term)) != _plain(getattr(needed, term))
    ]
    if differing:
        raise LayoutDiffers(
            f"{what} is there but is not what Libra needs: {'; '.join(differing)}. "
            "Change it with the `nats` command, or delete it once it is empty: it is then made anew"
        )


def _plain(value: Any) -> Any:
    """Return the value of an enumeration, and one value for all that mean "no limit"."""
    value = getattr(value, "value", value)
    return None if value in UNLIMITED else value
