"""The client of NATS, without two traps of nats-py 2.16."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from nats.aio import client

from libra.bus.cancellation import reraise_cancellation


class PatchedClient(client.Client):
    """The client of nats-py, which here neither goes deaf nor swallows a cancellation.

    Deaf: when a flush has waited in vain, as on a server that stands still for a while, nats-py leaves its cancelled
    future in the queue of those that wait for a PONG. A PONG that comes late after all then ends the loop that reads,
    without a message: the connection stays open, and nothing is ever heard from it again.

    Swallowed: before Python 3.12 `asyncio.wait_for` drops a cancellation that comes together with the result, and some
    methods catch CancelledError and go on. The task that was cancelled then works on, and its process does not stop.
    The methods below are mended one by one, because all that Libra asks of NATS, JetStream included, passes through
    them: a guard around our own calls would miss the loops inside the client, and another `wait_for` in nats-py's
    modules would miss what catches CancelledError. A test compares this list with the source of nats-py.
    """

    async def connect(self, *args: Any, **kwargs: Any) -> None:
        """Connect; when this is cancelled, leave no open connection behind."""
        try:
            await super().connect(*args, **kwargs)
        except asyncio.CancelledError:
            await self._close(PatchedClient.CLOSED, do_cbs=False)
            raise

    close = reraise_cancellation(client.Client.close)
    drain = reraise_cancellation(client.Client.drain)
    flush = reraise_cancellation(client.Client.flush)
    request = reraise_cancellation(client.Client.request)
    rtt = reraise_cancellation(client.Client.rtt)
    _connect_to_server = reraise_cancellation(client.Client._connect_to_server)  # noqa: SLF001 - inside a loop for ever
    _flush_pending = reraise_cancellation(client.Client._flush_pending)  # noqa: SLF001 - of every publish and subscribe
    _process_connect_init = reraise_cancellation(client.Client._process_connect_init)  # noqa: SLF001 - as the first

    async def _process_pong(self) -> None:
        with contextlib.suppress(asyncio.InvalidStateError):  # nobody waits for this one any more
            await super()._process_pong()
