"""Ask a consumer for messages, once.

The client's own `fetch` keeps one inbox for all its requests: when it is called off, the server goes on sending to that inbox,
and what it sends lies there for AckWait. Here each request has its own, and when it is called off what still arrives is handed
back. Measured on nats-server 2.15.1: with `no_wait` beside `expires` a request waits for a first message, takes what else is
there, and always ends with a status.
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
"""An empty consumer is asked again after this long: also what a request costs that the server forgot."""

SLACK_SECONDS = 1.0
CALL_OFF_SECONDS = 2.0

ON_ITS_WAY_SECONDS = 0.05
"""From the stream to a client, in the server: measured far below a millisecond."""


NO_MESSAGES, TIMED_OUT, NOBODY_THERE = "404", "408", "503"


class NoSuchConsumer(Exception):
    """Nobody answers for this consumer: the server has lost it, or is about to have it."""


async def pull(client: Client, stream: str, consumer: str, limit: int) -> list[Msg]:
    """Return up to `limit` messages as soon as there is one; none after two seconds without.

    Raise NoSuchConsumer, or nats.errors.Error if the server refuses.
    """
    arrived: asyncio.Queue[Msg] = asyncio.Queue()
    inbox = client.new_inbox()
    subscription = await client.subscribe(inbox, cb=arrived.put)
    messages: list[Msg] = []
    try:
        request = {"batch": limit, "expires": int(WAIT_SECONDS * 1e9), "no_wait": True}
        await client.publish(f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}", json.dumps(request).encode(), inbox)
        async with asyncio.timeout(WAIT_SECONDS + SLACK_SECONDS):
            while len(messages) < limit and not _ends(message := await arrived.get(), messages):
                messages.append(message)
        with contextlib.suppress(nats.errors.Error):  # the connection has just been closed
            await subscription.unsubscribe()
    except TimeoutError:  # the connection was lost on the way, or the server is slow
        return await _call_off(subscription, arrived, messages)
    except asyncio.CancelledError:
        with contextlib.suppress(nats.errors.Error):
            for message in await _call_off(subscription, arrived, messages):
                await message.nak()
        raise
    return messages


def _ends(message: Msg, messages: list[Msg]) -> bool:
    """Tell whether this is not a message but the status that ends the request."""
    status = (message.headers or {}).get("Status")
    if status is None or message.data:
        return False
    if status == NOBODY_THERE:
        raise NoSuchConsumer
    if status not in (NO_MESSAGES, TIMED_OUT) and not messages:
        raise APIError(code=int(status), description=(message.headers or {}).get("Description"))
    return True


async def _call_off(subscription: Subscription, arrived: asyncio.Queue[Msg], messages: list[Msg]) -> list[Msg]:
    """Call the request off; return all that the server sent before it knew."""
    with contextlib.suppress(nats.errors.Error, TimeoutError):
        async with asyncio.timeout(CALL_OFF_SECONDS):
            # What the server has just taken from the stream for us would be lost if we were gone when it sends it.
            await asyncio.sleep(ON_ITS_WAY_SECONDS)
            await subscription.drain()  # type: ignore[no-untyped-call]  # nats-py leaves it bare
    while not arrived.empty():
        messages.append(arrived.get_nowait())
    return [message for message in messages if message.reply]  # a status has no address to reply to
