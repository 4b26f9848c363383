"""The record of one lease holder in the store, by which a new lease table is known to have had no predecessor.

A lease table that nats-server lost with its memory is replaced by an empty one, although replicas may still use their
leases; so nobody takes quota from a young table. If the store has no record of another holder, nobody can: each is
recorded before its first lease. When two replicas begin at once, both records exist before either looks, and both wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Collection
from typing import Protocol

from libra.core.errors import Unavailable

RENEW_SECONDS = 30.0
"""A record that is older when the first lease is written is renewed: others may remove older ones."""


class LeaseHolders(Protocol):
    """The records; `libra.store.coordination.lease_holders.LeaseHolderCollection` implements it."""

    async def add(self, model: str, holder: str) -> None:
        """Record a holder."""

    async def has_others(self, model: str, holder: str) -> bool:
        """Return whether others than this holder are recorded for the model."""

    async def remove(self, holder: str) -> None:
        """Remove the record of a holder."""

    async def remove_all_except(self, model: str, holders: Collection[str]) -> None:
        """Remove old records of holders that are not among the living ones."""


class LeaseRegistration:
    """Keeps the record of one holder. Every method but `end` raises Unavailable if the store cannot be reached."""

    def __init__(self, holders: LeaseHolders | None, model: str, holder: str) -> None:
        """`holders`: None where there are no records; then no table is known to have had no predecessor."""
        self._holders, self._model, self._holder = holders, model, holder
        self._recorded_at = -math.inf

    async def ensure(self) -> None:
        """Record this holder before its first lease, again if the record may be too old."""
        now = asyncio.get_running_loop().time()
        if self._holders and now - self._recorded_at >= RENEW_SECONDS:
            await self._holders.add(self._model, self._holder)
            self._recorded_at = now

    async def may_have_predecessors(self) -> bool:
        """Return whether leases may be in use that another holder wrote into a table that is lost."""
        return self._holders is None or await self._holders.has_others(self._model, self._holder)

    async def forget_dead(self, living: Collection[str]) -> None:
        """Remove the records of holders that are not in a table which all living ones have had the time to write to."""
        if self._holders:
            await self._holders.remove_all_except(self._model, {*living, self._holder})

    async def end(self) -> None:
        """Remove the record, as nothing is in use. One that stays only makes the next holder wait."""
        if self._holders and self._recorded_at > -math.inf:
            self._recorded_at = -math.inf
            with contextlib.suppress(Unavailable):
                await self._holders.remove(self._holder)
