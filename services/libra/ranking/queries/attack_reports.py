"""Answers ReportAttacks: loads the cells, sums by sample and costs of a run's attacks."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence

from libra.core.errors import NotFound
from libra.ranking.attack_report import build_report, select_risky_cells
from libra.store.client import Store
from libra.store.runs import FINISHED, RunRecord
from libra.store.sums.cells import Cell
from libra.v1.ranking_pb2 import ReportAttacksResponse

KEPT_REPORTS = 32


class AttackReportReader:
    """Answers ReportAttacks from the store. It keeps the last reports: every new verdict changes the sums of a cell."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._reports: OrderedDict[tuple[object, ...], ReportAttacksResponse] = OrderedDict()

    async def report(self, run: str) -> ReportAttacksResponse:
        """Return the report on a run, whether running, finished or cancelled; raise NotFound for an unknown run."""
        record = await self._store.runs.get(run)
        if record is None:
            raise NotFound.run(run, field="run")
        cells = select_risky_cells(await self._store.cells.list_for_runs([run]))
        key = (run, record.run.state, tuple(sorted((*cell.key, cell.total, cell.sum) for cell in cells)))
        if key not in self._reports:
            self._reports[key] = await self._compute(record, cells)
        self._reports.move_to_end(key)
        while len(self._reports) > KEPT_REPORTS:
            self._reports.popitem(last=False)
        return self._reports[key]

    async def _compute(self, record: RunRecord, cells: Sequence[Cell]) -> ReportAttacksResponse:
        run = record.run.id
        # A rejudging asks no model: the costs of the answers are stored with the run that it judges again.
        source_run = record.run.spec.rejudges or run
        outcomes, costs = await asyncio.gather(
            self._store.attack_outcomes.load(cells),
            self._store.costs.sum_by_attack(source_run, {(cell.model, cell.task) for cell in cells}),
        )
        response = await asyncio.to_thread(build_report, cells, outcomes, costs)
        if source_run != run:
            response.notes.append(f"the answers and their costs are those of the run {source_run}")
        if record.run.state != FINISHED:
            verdicts = sum(cell.total for cell in cells)
            response.notes.append(
                f"the run is not finished: the report is based on the {verdicts:,} trials with a verdict"
            )
        return response
