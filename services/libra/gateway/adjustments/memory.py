"""The adjustments of every model: read from the store every few seconds, and written when they are learned."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence

from libra.core.errors import Unavailable
from libra.gateway.adjustments.learned import LearnedAdjustments
from libra.store.models.adjustments import AdjustmentCollection, entry_id
from libra.v1.completion_pb2 import Adjustment
from libra.v1.model_pb2 import Model


class AdjustmentMemory:
    """Remembers in this process, also while the store is away; all replicas learn from each other through the store."""

    def __init__(self, store: AdjustmentCollection, seconds: float) -> None:
        """`seconds` is the greatest age of what was read."""
        self._store, self._seconds = store, seconds
        self._by_entry: dict[str, LearnedAdjustments] = {}
        self._stored: Mapping[str, Sequence[Adjustment]] = {}
        self._read_at = -float("inf")
        self._has_read = False
        self._lock = asyncio.Lock()
        self._unwritten: dict[str, Model] = {}
        """By registration, the models whose adjustments could not be written."""
        self._writes: set[asyncio.Task[None]] = set()

    async def refresh(self) -> None:
        """Read the store if the last read is too old. A store that is away changes nothing."""
        if self._is_fresh() or (self._has_read and self._lock.locked()):
            return
        async with self._lock:
            if self._is_fresh():
                return
            with contextlib.suppress(Unavailable):
                self._stored = await self._store.list()
                self._has_read = True
                self._use_stored()
            self._read_at = asyncio.get_running_loop().time()

    def _is_fresh(self) -> bool:
        return asyncio.get_running_loop().time() - self._read_at < self._seconds

    def _use_stored(self) -> None:
        for entry, learned in self._by_entry.items():
            learned.merge(self._stored.get(entry, ()))
        for model in self._unwritten.values():
            self.save(model)

    def of(self, model: Model) -> LearnedAdjustments:
        """Return what is known of a model; the object stays the same as long as the model is registered."""
        entry = entry_id(model)
        learned = self._by_entry.get(entry)
        if learned is None:
            learned = self._by_entry[entry] = LearnedAdjustments()
            learned.merge(self._stored.get(entry, ()))
        return learned

    def save(self, model: Model) -> None:
        """Write what is not stored yet, in the background."""
        write = asyncio.get_running_loop().create_task(self._write(model, self.of(model)))
        self._writes.add(write)
        write.add_done_callback(self._writes.discard)

    async def drain(self, seconds: float) -> None:
        """Wait up to `seconds` for writes to end."""
        if self._writes:
            _, late = await asyncio.wait(self._writes, timeout=seconds)
            for write in late:
                write.cancel()

    async def _write(self, model: Model, learned: LearnedAdjustments) -> None:
        """Write each adjustment; after a failure, again when the store can be read."""
        self._unwritten[entry_id(model)] = model
        with contextlib.suppress(Unavailable):
            for parameter, adjustment in list(learned.unsaved.items()):
                await self._store.upsert(model, adjustment)
                if learned.unsaved.get(parameter) is adjustment:
                    del learned.unsaved[parameter]
            self._unwritten.pop(entry_id(model), None)
