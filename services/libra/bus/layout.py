"""Make the streams and consumers that are not there, and compare those that are.

The server would silently change a consumer to whatever it is told (`add_consumer`), also one that replicas of another version
are working with: so nothing that is there is ever touched.
"""

from __future__ import annotations

from typing import Any

import structlog
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from libra.bus import streams
from libra.errors import LibraError
from libra.telemetry.actions import Action

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
"""What Libra's promises rest on. The rest, as the number of replicas, belongs to whoever runs the server."""

UNLIMITED = (None, -1, 0, False)


class LayoutDiffers(LibraError):
    """A stream or consumer is there but is not what Libra needs; the message says in what, and what to do."""


async def ensure(js: JetStreamContext, *, replicas: int) -> None:
    """Have both streams and the consumers that are always there. LayoutDiffers if one is there and is another."""
    for config in streams.STREAMS:
        try:
            found = await js.stream_info(str(config.name))
        except NotFoundError:
            await js.add_stream(config, num_replicas=replicas)
            log.info("a stream was made", action=Action.STREAM_MADE, stream=config.name)
        else:
            _compare(f"the stream {config.name}", config, found.config, STREAM_TERMS)
    for consumer in streams.FIXED_CONSUMERS:
        await ensure_consumer(js, consumer)


async def ensure_consumer(js: JetStreamContext, consumer: str) -> None:
    """Have the consumer of this name. LayoutDiffers if it is there and is another."""
    config = streams.consumer_config(consumer)
    stream = str(streams.WORK.name)
    try:
        found = await js.consumer_info(stream, consumer)
    except NotFoundError:
        await js.add_consumer(stream, config)
        log.info("a consumer was made", action=Action.CONSUMER_MADE, consumer=consumer)
    else:
        _compare(f"the consumer {consumer} of {stream}", config, found.config, CONSUMER_TERMS)


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
