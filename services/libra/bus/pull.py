"""Pull messages from a consumer with one request.

nats-py's `fetch` uses one inbox for all its requests: after a cancellation the server still sends to that inbox, and
those messages stay there until AckWait has passed. Here each request has its own inbox, and after a cancellation the
messages that still arrive are handed back. Measured on nats-server 2.15.1: with `no_wait` and `expires` a request waits
for a first message, takes what else is available, and always ends with a status.
"""

from __future__ import annotations

import asyncio
import contextlib
import json

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js.errors import APIError

WAIT_SECONDS = 2.0
"""Maximum wait at an empty consumer, in seconds. A request that the server lost costs as much."""

SLACK_SECONDS = 1.0
CANCEL_SECONDS = 2.0

IN_TRANSIT_SECONDS = 0.05
"""Upper bound on the time that the server needs to send a message to the client; measured far below a millisecond."""


NO_MESSAGES, TIMED_OUT, NO_RESPONDERS = "404", "408", "503"


class ConsumerNotFound(Exception):
    """The server does not know this consumer: it has lost it, or has not created it yet."""


async def pull(client: Client, stream: str, consumer: str, limit: int) -> list[Msg]:
    """Return up to `limit` messages as soon as there is one; an empty list after two seconds without.

    Raises ConsumerNotFound, or nats.errors.Error if the server refuses.
    """
    arrived: asyncio.Queue[Msg] = asyncio.Queue()
    inbox = client.new_inbox()
    subscription = await client.subscribe(inbox, cb=arrived.put)
    messages: list[Msg] = []
    try:
        request = {"batch": limit, "expires": int(WAIT_SECONDS * 1e9), "no_wait": True}
        await client.publish(f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}", json.dumps(request).encode(), inbox)
        async with asyncio.timeout(WAIT_SECONDS + SLACK_SECONDS):
            while len(messages) < limit and not _is_last(message := await arrived.get(), messages):
                messages.append(message)
        with contextlib.suppress(nats.errors.Error):  # the connection has just been closed
            await subscription.unsubscribe()
    except TimeoutError:  # the connection was lost on the way, or the server is slow
        return await _cancel(subscription, arrived, messages)
    except asyncio.CancelledError:
        with contextlib.suppress(nats.errors.Error):
            for message in await _cancel(subscription, arrived, messages):
                await message.nak()
        raise
    return messages


def _is_last(message: Msg, messages: list[Msg]) -> bool:
    """Return whether this is the status that ends the request, and not a message."""
    status = (message.headers or {}).get("Status")
    if status is None or message.data:
        return False
    if status == NO_RESPONDERS:
        raise ConsumerNotFound
    if status not in (NO_MESSAGES, TIMED_OUT) and not messages:
        raise APIError(code=int(status), description=(message.headers or {}).get("Description"))
    return True


async def _cancel(subscription: Subscription, arrived: asyncio.Queue[Msg], messages: list[Msg]) -> list[Msg]:
    """Cancel the request; return all messages that the server sent before it received the cancellation."""
    with contextlib.suppress(nats.errors.Error, TimeoutError):
        async with asyncio.timeout(CANCEL_SECONDS):
            # A message that the server has just taken from the stream would be lost without a subscription to send it
            # to.
            await asyncio.sleep(IN_TRANSIT_SECONDS)
            await subscription.drain()  # type: ignore[no-untyped-call]  # nats-py leaves it bare
    while not arrived.empty():
        messages.append(arrived.get_nowait())
    return [message for message in messages if message.reply]  # a status has no reply subject
