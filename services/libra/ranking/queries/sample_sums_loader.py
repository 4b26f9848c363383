"""Sums by sample for a board: what is kept at once, the rest within a bounded time or in the background."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from libra.errors import Unavailable
from libra.store.cells import Cell, CellKey
from libra.store.sample_sums import GROUP_CELLS, SampleSums, SampleSumsCollection
from libra.telemetry.log_actions import Action

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Gathered:
    """The sums there are by now."""

    sums: Mapping[CellKey, SampleSums]
    pending: int
    """Cells whose sums are still being gathered."""

    absent: int
    """Cells whose verdicts are not all there."""


class SampleSumsLoader:
    """Gathers whatever boards ask for, a group of cells at a time. `done` is called when nothing is left to gather."""

    def __init__(self, collection: SampleSumsCollection, wait_seconds: float, done: Callable[[], None]) -> None:
        self._collection, self._wait_seconds, self._done = collection, wait_seconds, done
        self._wanted: dict[CellKey, Cell] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        """Whether something is being gathered now."""
        return self._task is not None and not self._task.done()

    async def sums(self, cells: Sequence[Cell]) -> Gathered:
        """Return the sums of the cells, after waiting for those that are not kept, but not for long.

        Cells that stand still are meant: one that grows is gathered in vain.
        """
        scored = [cell for cell in cells if cell.n]
        kept = await self._collection.get_cached(scored)
        if kept.missing:
            self._wanted |= {cell.key: cell for cell in kept.missing}
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._gather())
            await asyncio.wait({self._task}, timeout=self._wait_seconds)
            kept = await self._collection.get_cached(scored)
        pending = sum(cell.key in self._wanted for cell in kept.missing)
        return Gathered(kept.sums, pending, len(scored) - len(kept.sums) - pending)

    async def end(self) -> None:
        """Gather no more. What has been gathered is kept, the rest is gathered when it is asked for again."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _gather(self) -> None:
        try:
            while self._wanted:
                group = list(self._wanted.items())[:GROUP_CELLS]
                await self._collection.compute([cell for _, cell in group])
                for key, cell in group:
                    if self._wanted[key] is cell:
                        del self._wanted[key]
        except Unavailable as error:
            # Whoever asks next begins again, where this one came to.
            log.warning("sums by sample were not gathered", action=Action.SUMS_NOT_GATHERED, reason=str(error))
        else:
            self._done()
