"""The client of NATS, mended where it would go deaf."""

from __future__ import annotations

import asyncio
import contextlib

from nats.aio import client


class PatchedClient(client.Client):
    """nats-py's own, but for one trap.

    When a flush has waited in vain, as on a server that stands still for a while, nats-py 2.16 leaves its cancelled future in
    the line of those that wait for a PONG. The PONG that comes late after all then ends the loop that reads, without a word:
    the connection stays open, and nothing is ever heard from it again.
    """

    async def _process_pong(self) -> None:
        with contextlib.suppress(asyncio.InvalidStateError):  # nobody waits for this one any more
            await super()._process_pong()
