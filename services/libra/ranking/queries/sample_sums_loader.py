"""Loads the sums by sample for a board: cached sums at once, the others within a time limit or in the background."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from libra.core.errors import Unavailable
from libra.store.sums.cells import Cell, CellKey
from libra.store.sums.sample_sums import GROUP_CELLS, SampleSums, SampleSumsCollection
from libra.telemetry.log_actions import Action

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LoadedSampleSums:
    """The sums that are known so far."""

    sums: Mapping[CellKey, SampleSums]
    pending: int
    """Cells whose sums are still being computed."""

    absent: int
    """Cells that do not have all their verdicts in the store."""


class SampleSumsLoader:
    """Loads sums for boards, and computes missing ones in groups of cells. Calls `on_completed` when none is left."""

    def __init__(self, collection: SampleSumsCollection, wait_seconds: float, on_completed: Callable[[], None]) -> None:
        self._collection, self._wait_seconds, self._on_completed = collection, wait_seconds, on_completed
        self._pending: dict[CellKey, Cell] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def is_computing(self) -> bool:
        """Whether sums are being computed now."""
        return self._task is not None and not self._task.done()

    async def load(self, cells: Sequence[Cell]) -> LoadedSampleSums:
        """Return the sums of the cells; wait for those that are not cached, but at most the time limit.

        The cells must not change any more: the sums of a growing cell would be computed in vain.
        """
        scored = [cell for cell in cells if cell.n]
        cached = await self._collection.get_cached(scored)
        if cached.missing:
            self._pending |= {cell.key: cell for cell in cached.missing}
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._compute())
            await asyncio.wait({self._task}, timeout=self._wait_seconds)
            cached = await self._collection.get_cached(scored)
        pending = sum(cell.key in self._pending for cell in cached.missing)
        return LoadedSampleSums(cached.sums, pending, len(scored) - len(cached.sums) - pending)

    async def close(self) -> None:
        """Stop computing. Finished sums are cached; the others are computed at the next request."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _compute(self) -> None:
        try:
            while self._pending:
                group = list(self._pending.items())[:GROUP_CELLS]
                await self._collection.compute([cell for _, cell in group])
                for key, cell in group:
                    if self._pending[key] is cell:
                        del self._pending[key]
        except Unavailable as error:
            # The next request continues from here.
            log.warning("sums by sample could not be computed", action=Action.SUMS_NOT_GATHERED, reason=str(error))
        else:
            self._on_completed()
