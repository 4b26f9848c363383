"""Create missing streams and consumers, and check the existing ones.

Existing ones are never changed: `add_consumer` would silently reconfigure a consumer that replicas of another version
are using.
"""

from __future__ import annotations

from typing import Any

import structlog
from nats.js import JetStreamContext
from nats.js.api import KeyValueConfig, StorageType, StreamConfig
from nats.js.errors import APIError, NotFoundError

from libra.bus import streams, write_check
from libra.bus.error_translation import STORAGE_LIMIT_CODES
from libra.core.errors import LibraError
from libra.telemetry.log_actions import Action

log = structlog.get_logger(__name__)

STREAM_FIELDS = (
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
CONSUMER_FIELDS = (
    "filter_subject",
    "deliver_policy",
    "ack_policy",
    "ack_wait",
    "max_deliver",
    "max_ack_pending",
    "backoff",
)
"""The fields that Libra's guarantees depend on. The others, such as size and replicas, are the operator's choice."""

UNLIMITED = (None, -1, 0, False)


class IncompatibleStream(LibraError):
    """An existing stream or consumer has a wrong configuration; the message names the fields and the remedy."""


class InsufficientStorage(LibraError):
    """JetStream cannot reserve the storage that a stream needs; the message names the size and the remedy."""


async def ensure(js: JetStreamContext, *, replicas: int, stage_bytes: int, ack_wait_seconds: float) -> None:
    """Create the streams and the fixed consumers that are missing; raise IncompatibleStream or InsufficientStorage."""
    for config in streams.STREAMS:
        try:
            found = await js.stream_info(str(config.name))
        except NotFoundError:
            await _create(js, config, replicas, stage_bytes)
        else:
            _compare(f"the stream {config.name}", config, found.config, STREAM_FIELDS)
    for consumer in streams.FIXED_CONSUMERS:
        await ensure_consumer(js, consumer, ack_wait_seconds=ack_wait_seconds)
    await ensure_bucket(js, streams.GRANTS, replicas=replicas)
    await write_check.ensure_stream(js)


async def ensure_consumer(js: JetStreamContext, consumer: str, *, ack_wait_seconds: float) -> None:
    """Create the consumer of this name if it is missing; raise IncompatibleStream if its configuration is wrong."""
    config = streams.consumer_config(consumer, ack_wait_seconds)
    stream = streams.stream_of(consumer)
    try:
        found = await js.consumer_info(stream, consumer)
    except NotFoundError:
        await js.add_consumer(stream, config)
        log.info("a consumer was created", action=Action.CONSUMER_MADE, consumer=consumer)
    else:
        _compare(f"the consumer {consumer} of {stream}", config, found.config, CONSUMER_FIELDS)


async def ensure_bucket(js: JetStreamContext, name: str, *, replicas: int) -> None:
    """Create the bucket of this name if it is missing, in the server's memory, since its disk may be full."""
    try:
        await js.stream_info(f"KV_{name}")
    except NotFoundError:
        config = KeyValueConfig(bucket=name, history=1, storage=StorageType.MEMORY, replicas=replicas, direct=False)
        await js.create_key_value(config)
        log.info("a bucket was created", action=Action.STREAM_MADE, stream=f"KV_{name}")


async def _create(js: JetStreamContext, config: StreamConfig, replicas: int, stage_bytes: int) -> None:
    try:
        await js.add_stream(config, num_replicas=replicas, max_bytes=stage_bytes)
    except APIError as error:
        if error.err_code not in STORAGE_LIMIT_CODES:
            raise
        raise InsufficientStorage(
            f"JetStream cannot reserve storage for the stream {config.name}: {len(streams.STREAMS)} streams of "
            f"{stage_bytes:,} bytes are needed; raise max_file_store of nats-server, or lower LIBRA_NATS_STAGE_BYTES"
        ) from error
    log.info("a stream was created", action=Action.STREAM_MADE, stream=config.name)


def _compare(what: str, needed: object, found: object, fields: tuple[str, ...]) -> None:
    differing = [
        f"{field} is {getattr(found, field)!r} and must be {getattr(needed, field)!r}"
        for field in fields
        if _comparable(getattr(found, field)) != _comparable(getattr(needed, field))
    ]
    if differing:
        raise IncompatibleStream(
            f"{what} exists, but {'; '.join(differing)}; "
            "change it with the `nats` command, or delete it once it is empty, and Libra creates it again"
        )


def _comparable(value: Any) -> Any:
    """Return an enumeration's value, and None for every value that means "no limit"."""
    value = getattr(value, "value", value)
    return None if value in UNLIMITED else value
