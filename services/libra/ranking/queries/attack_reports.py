"""Read what a report on a run's attacks is made of."""

from __future__ import annotations

import asyncio

from libra.errors import NotFound
from libra.ranking.attack_report import reported, risky
from libra.store.client import Store
from libra.v1.ranking_pb2 import ReportAttacksResponse
from libra.v1.run_pb2 import RunState


class AttackReports:
    """Answers ReportAttacks from the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def report(self, run: str) -> ReportAttacksResponse:
        """Return the report on a run, running, finished or cancelled; NotFound if there is no such run."""
        record = await self._store.runs.get(run)
        if record is None:
            raise NotFound.run(run, field="run")
        cells = risky(await self._store.cells.list_for_runs([run]))
        # Judging again asks no model: what the answers cost is written with the run that asked for them.
        asked_by = record.run.spec.rejudges or run
        sums = await self._store.sample_sums.get_or_compute(cells)
        costs = await self._store.costs.sum_by_attack(asked_by, {(cell.model, cell.task) for cell in cells})
        answer = await asyncio.to_thread(reported, cells, sums, costs)
        if asked_by != run:
            answer.notes.append(f"the answers, and what they cost, are those of the run {asked_by}")
        if record.run.state != RunState.RUN_STATE_FINISHED:
            settled = sum(cell.total for cell in cells)
            answer.notes.append(f"the run is not finished: this stands on the {settled:,} trials that have a verdict")
        return answer
