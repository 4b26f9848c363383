"""Answers ReportAttacks: loads the cells, sums by sample and costs of a run's attacks."""

from __future__ import annotations

import asyncio

from libra.core.errors import NotFound
from libra.ranking.attack_report import build_report, select_risky_cells
from libra.store.client import Store
from libra.store.runs import FINISHED
from libra.v1.ranking_pb2 import ReportAttacksResponse


class AttackReportReader:
    """Answers ReportAttacks from the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def report(self, run: str) -> ReportAttacksResponse:
        """Return the report on a run, whether running, finished or cancelled; raise NotFound for an unknown run."""
        record = await self._store.runs.get(run)
        if record is None:
            raise NotFound.run(run, field="run")
        cells = select_risky_cells(await self._store.cells.list_for_runs([run]))
        # A rejudging asks no model: the costs of the answers are stored with the run that it judges again.
        source_run = record.run.spec.rejudges or run
        sample_sums = await self._store.sample_sums.get_or_compute(cells)
        costs = await self._store.costs.sum_by_attack(source_run, {(cell.model, cell.task) for cell in cells})
        response = await asyncio.to_thread(build_report, cells, sample_sums, costs)
        if source_run != run:
            response.notes.append(f"the answers and their costs are those of the run {source_run}")
        if record.run.state != FINISHED:
            verdicts = sum(cell.total for cell in cells)
            response.notes.append(
                f"the run is not finished: the report is based on the {verdicts:,} trials with a verdict"
            )
        return response
