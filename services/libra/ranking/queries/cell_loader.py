"""Loads the cells of runs, with the trials that each cell will have, and selects those that count."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from libra.core.errors import Invalid, NotFound
from libra.ranking.board.cell_selection import BoardCell, CellSelection, ambiguous_tasks, select_cells
from libra.store.client import Store
from libra.store.runs import RunRecord, RunSection
from libra.store.sums.cell_sums import SUM_FIELDS
from libra.store.sums.cells import Cell

MAX_RUNS = 500
"""The most runs that a request may name."""


class CellLoader:
    """Loads the cells of named runs, finished or not, or of all finished runs."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def load_runs(self, runs: Sequence[str], *, field: str) -> list[RunRecord]:
        """Return the runs, in order of id. Raises Invalid for too many, and NotFound for an unknown one."""
        if len(runs) > MAX_RUNS:
            raise Invalid(
                f"{len(runs)} runs are more than {MAX_RUNS}; name fewer, or none for all finished", field=field
            )
        return await asyncio.gather(*(self._load_run(run, field) for run in sorted(set(runs))))

    async def load_cells(self, records: Sequence[RunRecord]) -> list[BoardCell]:
        """Return the cells of the runs, with an empty cell for each section without a verdict."""
        return add_empty_cells(records, await self._store.cells.list_for_runs([record.run.id for record in records]))

    async def load_finished_cells(self, runs: Iterable[str]) -> list[BoardCell]:
        """Return the cells of finished runs: they have all their trials."""
        return [BoardCell(cell, cell.total) for cell in await self._store.cells.list_for_runs(list(runs))]

    async def select(self, board_cells: Sequence[BoardCell]) -> CellSelection:
        """Return the cells that count: one version and one judge for each task, and the newest run."""
        ambiguous = ambiguous_tasks(board_cells)
        import_times = await self._store.tasks.get_import_times(ambiguous) if ambiguous else {}
        return select_cells(board_cells, import_times)

    async def select_for_models(self, runs: Sequence[str], models: Mapping[str, str], *, field: str) -> CellSelection:
        """Return the cells that count among those of these models alone.

        `models` maps each model to the field of the request that names it, and `field` names the runs. Raises Invalid
        for too many runs, and NotFound for an unknown run and for a model without verdicts.
        """
        if runs:
            board_cells = await self.load_cells(await self.load_runs(runs, field=field))
        else:
            board_cells = await self.load_finished_cells(await self._store.runs.get_finished_revisions())
        known = sorted({each.cell.model for each in board_cells})
        for model, model_field in models.items():
            if model not in known:
                raise NotFound.named("model with a verdict in these runs", model, known, field=model_field)
        return await self.select([each for each in board_cells if each.cell.model in models])

    async def _load_run(self, run: str, field: str) -> RunRecord:
        record = await self._store.runs.get(run)
        if record is None:
            raise NotFound.run(run, field=field)
        return record


def add_empty_cells(records: Iterable[RunRecord], cells: Iterable[Cell]) -> list[BoardCell]:
    """Return a cell for each model and section of the runs, an empty one where there is no verdict yet."""
    found = {cell.key: cell for cell in cells}
    board_cells = []
    for record in records:
        for model in record.run.spec.models:
            for section in record.sections:
                key = (record.run.id, model, section.task, section.attack)
                cell = found.pop(key, None) or _empty_cell(record.run.id, model, section)
                board_cells.append(BoardCell(cell, max(section.trials, cell.total)))
    return board_cells + [BoardCell(cell, cell.total) for cell in found.values()]


def _empty_cell(run: str, model: str, section: RunSection) -> Cell:
    sums: dict[str, Any] = dict.fromkeys(SUM_FIELDS, 0)
    return Cell(
        run=run,
        judging=0,
        model=model,
        task=section.task,
        attack=section.attack,
        category=section.category,
        judges=(),
        **sums,
    )
