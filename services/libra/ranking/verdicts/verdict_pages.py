"""Reads the verdicts of a run in pages, so that only one page is in memory at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from libra.store.client import Store
from libra.store.sums.cells import Cell
from libra.v1.verdict_pb2 import Verdict

PAGE_VERDICTS = 2000


async def read_run_pages(store: Store, run: str) -> AsyncIterator[Sequence[Verdict]]:
    """Yield the brief verdicts of a run's own judging, in the order of trials."""
    after = ""
    while page := await store.verdicts.list(run, after=after, limit=PAGE_VERDICTS, brief=True):
        yield page
        after = page[-1].id


async def read_cell_pages(
    store: Store, cell: Cell, *, outcome: int | None = None, brief: bool = False
) -> AsyncIterator[Sequence[Verdict]]:
    """Yield the verdicts of a cell of a run's own judging, or those with one outcome, in the order of trials."""
    after = ""
    while page := await store.verdicts.list(
        cell.run,
        model=cell.model,
        task=cell.task,
        attack=cell.attack,
        outcome=outcome,
        after=after,
        limit=PAGE_VERDICTS,
        brief=brief,
    ):
        yield page
        if len(page) < PAGE_VERDICTS:
            break
        after = page[-1].id
