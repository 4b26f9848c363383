"""Read the cells that may count, for questions that are not about a whole board."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from libra.errors import Invalid, NotFound
from libra.ranking.board.cell_selection import Entry, Selection, ambiguous, choose
from libra.ranking.queries.boards import MAX_RUNS, expected
from libra.store.client import Store
from libra.store.runs import RunRecord


class Entries:
    """Reads the entries of named runs, finished or not, or of all that are finished."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def chosen(self, runs: Sequence[str], models: Mapping[str, str], *, field: str) -> Selection:
        """Return what counts among the cells of these models alone: one version and one judge for each task, the newest run.

        `models` says which field of the request names each, `field` which the runs: Invalid for too many runs, NotFound for
        one that is not there and for a model without verdicts.
        """
        found = await self._all(runs, field)
        entries = [entry for entry in found if entry.cell.model in models]
        known = sorted({entry.cell.model for entry in found})
        for model, named_by in models.items():
            if model not in known:
                raise NotFound.named("model with a verdict in these runs", model, known, field=named_by)
        several = ambiguous(entries)
        return choose(entries, await self._store.tasks.get_import_times(several) if several else {})

    async def _all(self, runs: Sequence[str], field: str) -> list[Entry]:
        if not runs:
            finished = await self._store.runs.get_finished_revisions()
            return [Entry(cell, cell.total) for cell in await self._store.cells.list_for_runs(list(finished))]
        if len(runs) > MAX_RUNS:
            raise Invalid(
                f"{len(runs)} runs are more than {MAX_RUNS}; name fewer, or none for all finished", field=field
            )
        records = await asyncio.gather(*(self._record(run, field) for run in runs))
        return expected(records, await self._store.cells.list_for_runs(list(runs)))

    async def _record(self, run: str, field: str) -> RunRecord:
        record = await self._store.runs.get(run)
        if record is None:
            raise NotFound.run(run, field=field)
        return record
