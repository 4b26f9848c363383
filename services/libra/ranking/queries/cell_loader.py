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

MAX_ROUNDS = 500
"""Rounds among which the nearest names are looked for."""


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

    async def load_cells(self, records: Sequence[RunRecord], models: Sequence[str] = ()) -> list[BoardCell]:
        """Return the cells of the runs, or of some of their models; an empty cell for a section without a verdict."""
        runs = [record.run.id for record in records]
        return add_empty_cells(records, await self._store.cells.list_for_runs(runs, models=models), models)

    async def load_finished_cells(self, runs: Iterable[str], models: Sequence[str] = ()) -> list[BoardCell]:
        """Return the cells of finished runs, or of some of their models: they have all their trials."""
        cells = await self._store.cells.list_for_runs(list(runs), models=models)
        return [BoardCell(cell, cell.total) for cell in cells]

    async def select(self, board_cells: Sequence[BoardCell]) -> CellSelection:
        """Return the cells that count: one version and one judge for each task, and the newest run."""
        ambiguous = ambiguous_tasks(board_cells)
        import_times = await self._store.tasks.get_import_times(ambiguous) if ambiguous else {}
        return select_cells(board_cells, import_times)

    async def select_for_models(
        self, runs: Sequence[str], models: Mapping[str, str], *, field: str, round_name: str = ""
    ) -> CellSelection:
        """Return the cells that count among those of these models alone.

        Without `runs`, the finished runs of the round or of none count. `models` maps each model to the field of the
        request that names it, and `field` names the runs. Raises Invalid for too many runs, and NotFound for an unknown
        run and for a model without verdicts.
        """
        cells = await self._load_for_models(runs, list(models), field, round_name)
        found = {each.cell.model for each in cells}
        if not found >= models.keys():
            found = {each.cell.model for each in await self._load_for_models(runs, (), field, round_name)}
        if round_name and not found:
            raise NotFound(f"no finished run of the round {round_name} has a verdict yet", field="round")
        where = f"the round {round_name}" if round_name else "these runs"
        for model, model_field in models.items():
            if model not in found:
                raise NotFound.named(f"model with a verdict in {where}", model, sorted(found), field=model_field)
        return await self.select(cells)

    async def _load_for_models(
        self, runs: Sequence[str], models: Sequence[str], field: str, round_name: str
    ) -> list[BoardCell]:
        if runs:
            return await self.load_cells(await self.load_runs(runs, field=field), models)
        return await self.load_finished_cells(await self._store.runs.get_finished_revisions(round_name), models)

    async def _load_run(self, run: str, field: str) -> RunRecord:
        record = await self._store.runs.get(run)
        if record is None:
            raise NotFound.run(run, field=field)
        return record


async def check_round(store: Store, round_name: str, runs: Sequence[str], *, what: str) -> None:
    """Raise Invalid for runs together with a round, and NotFound for an unknown round; `what` is made from them."""
    if round_name and runs:
        raise Invalid(f"{what} is that of a round or that of named runs; give one of the two", field="round")
    if round_name and await store.rounds.get(round_name) is None:
        names = [record.name for record in await store.rounds.list(limit=MAX_ROUNDS)]
        raise NotFound.named("round", round_name, names, field="round")


def add_empty_cells(records: Iterable[RunRecord], cells: Iterable[Cell], models: Sequence[str] = ()) -> list[BoardCell]:
    """Return a cell for each model and section of the runs, an empty one where there is no verdict yet.

    If there are `models`, only for these.
    """
    found = {cell.key: cell for cell in cells}
    board_cells = []
    for record in records:
        for model in record.run.spec.models:
            if models and model not in models:
                continue
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
