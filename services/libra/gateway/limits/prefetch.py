"""A bus that takes no more from the queue than one model can be kept busy with."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence

from libra.gateway.limits.trial_budget import TrialBudget
from libra.stage.bus import Bus, Delivery, Outgoing

PATIENCE_SECONDS = 2.0
"""An empty pull comes back after this, as that of an empty queue does, so that the runner can look whether it is to stop."""


class PrefetchingBus:
    """Implements `libra.stage.bus.Bus` over another, and pulls by trials in hand."""

    def __init__(self, bus: Bus, hand: TrialBudget) -> None:
        self._bus, self._hand = bus, hand
        self.ack_wait_seconds = bus.ack_wait_seconds

    async def pull(self, consumer: str, limit: int) -> Sequence[Delivery]:
        """Return up to `limit` messages once there is use for more; an empty list if there is none within 2 seconds."""
        # What the last pull brought is in hand only after its tasks have begun.
        await asyncio.sleep(0)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._hungry()
        wanted = self._hand.wanted()
        return await self._bus.pull(consumer, min(limit, wanted)) if wanted else []

    async def publish(self, message: Outgoing, headers: Mapping[str, str]) -> None:
        """Pass it on."""
        await self._bus.publish(message, headers)

    async def _hungry(self) -> None:
        while not self._hand.wanted():
            self._hand.changed.clear()
            await self._hand.changed.wait()
