"""Shares with the other replicas which models are parked, so that together they send one probe at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from libra.core.errors import Unavailable
from libra.gateway.parking.park_state import Park
from libra.gateway.provider.result import BlockCause
from libra.store.models.parked import ParkedModel, ParkedModels

CLAIM_SECONDS = 30.0
"""A replica that has claimed a probe and died is followed by another after this time."""


class SharedPark:
    """Writes what this replica found out, in the background and in order, and reads what the others found out."""

    def __init__(self, parked: ParkedModels) -> None:
        self._parked = parked
        self._writes: dict[str, asyncio.Task[None]] = {}
        self._now = asyncio.get_running_loop().time

    def is_writing(self, model: str) -> bool:
        """Return whether a change of this replica is on its way, so that what the store has is older."""
        return model in self._writes

    def park(self, model: str, park: Park) -> None:
        """Park a model for all replicas."""
        seconds = park.probe_at - self._now()
        self._write(model, lambda: self._parked.park(model, park.cause, park.reason, seconds, is_named=park.is_named))

    def postpone(self, model: str, park: Park) -> None:
        """Set the time of the next probe for all replicas."""
        seconds = park.probe_at - self._now()
        self._write(
            model, lambda: self._parked.postpone(model, park.cause, park.reason, seconds, is_named=park.is_named)
        )

    def unpark(self, model: str) -> None:
        """Open a model for all replicas."""
        self._write(model, lambda: self._parked.unpark(model))

    async def touch(self, model: str) -> None:
        """Tell that requests of this replica wait for the model."""
        await self._parked.touch(model)

    async def claim_probe(self, model: str, *, hasten: bool) -> bool:
        """Return whether this replica may send the next probe; `hasten` does not wait for its time."""
        if model in self._writes:
            return False
        if hasten:
            await self._parked.hasten(model)
        return await self._parked.claim_probe(model, CLAIM_SECONDS)

    async def read(self) -> dict[str, Park]:
        """Return the parked models by name."""
        entries = await self._parked.list()
        # Another version of the gateway may know more causes; their entries are its own business.
        return {model: self._to_park(entry) for model, entry in entries.items() if entry.cause in set(BlockCause)}

    def _to_park(self, entry: ParkedModel) -> Park:
        """Return an entry in the time of this process's clock."""
        now = self._now()
        return Park(
            cause=BlockCause(entry.cause),
            reason=entry.reason,
            parked_at=now - (entry.now - entry.park_time).total_seconds(),
            probe_at=now + (entry.probe_time - entry.now).total_seconds(),
            probes=entry.probes,
            is_named=entry.is_named,
        )

    def _write(self, model: str, write: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Write in the background, after the writes before. A write that fails is lost: the next result follows."""
        task = asyncio.create_task(self._write_after(self._writes.get(model), write))
        self._writes[model] = task
        task.add_done_callback(lambda done: self._writes.pop(model) if self._writes.get(model) is done else None)

    async def _write_after(
        self, before: asyncio.Task[None] | None, write: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        if before is not None:
            await asyncio.wait([before])
        try:
            await write()
        except Unavailable:
            return
