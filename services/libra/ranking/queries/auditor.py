"""Answers AuditRun: reads a run's verdicts, completions and cells a page at a time, and checks the laws on them."""

from __future__ import annotations

from libra.core.errors import NotFound
from libra.ranking.audit import LAWS, MAX_NAMED, Audit, RunCellKey
from libra.ranking.queries.verdict_pages import read_run_pages
from libra.store import trial_ids
from libra.store.client import Store
from libra.store.runs import FINISHED, RunRecord
from libra.v1.ranking_pb2 import AuditFinding, AuditRunResponse


class Auditor:
    """Audits runs, whether running, finished or cancelled."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def audit(self, run: str) -> AuditRunResponse:
        """Check every law on the run's own judging; raise NotFound for an unknown run."""
        record = await self._store.runs.get(run)
        if record is None:
            raise NotFound.run(run, field="run")
        audit = Audit(run, _count_trials(record), finished=record.run.state == FINISHED)
        response = AuditRunResponse(laws=LAWS)
        await self._check_verdicts(run, audit, response)
        await self._check_cells(run, audit, response)
        await self._name_missing_trials(record, audit)
        response.findings.extend(
            AuditFinding(law=finding.law, message=finding.message, concerned=finding.concerned)
            for finding in audit.findings()
        )
        return response

    async def _check_verdicts(self, run: str, audit: Audit, response: AuditRunResponse) -> None:
        async for page in read_run_pages(self._store, run):
            ids = {verdict.completion_id for verdict in page} - {""}
            existing = await self._store.completions.find_existing(ids)
            response.verdicts += len(page)
            response.completions += len(ids)
            for verdict in page:
                audit.add_verdict(
                    verdict.id,
                    (verdict.model, verdict.task, verdict.attack),
                    verdict.outcome,
                    verdict.completion_id,
                    completion_exists=verdict.completion_id in existing,
                )

    async def _check_cells(self, run: str, audit: Audit, response: AuditRunResponse) -> None:
        cells = {(cell.model, cell.task, cell.attack): cell for cell in await self._store.cells.list_for_runs([run])}
        for key in sorted({*audit.cell_keys(), *cells}):
            stored, counted = await self._store.cells.recount(run, 0, *key)
            audit.add_cell(key, stored, counted, cells[key].judges if key in cells else ())
            response.cells += 1

    async def _name_missing_trials(self, record: RunRecord, audit: Audit) -> None:
        """Name the trials without a verdict, cell by cell, until enough are named."""
        named = 0
        for key in audit.incomplete_cells():
            ids = await self._find_missing_trials(record, audit, key) if named < MAX_NAMED else []
            audit.add_missing_trials(key, ids)
            named += len(ids)

    async def _find_missing_trials(self, record: RunRecord, audit: Audit, key: RunCellKey) -> list[str]:
        """Return the ids of a cell's trials without a verdict; none if the trials of the cell cannot be determined.

        The (sample, epoch) of the trials of one cell are in memory.
        """
        run, (_, task, attack) = record.run.id, key
        expected = await self._list_all_trials(record, task)
        if expected is None:
            # The seed selected samples, the same for every model: a complete cell of another model shows which.
            complete = audit.find_complete_cell(task, attack)
            expected = await self._store.verdicts.list_completed_trials(run, 0, *complete) if complete else set()
        missing = expected - await self._store.verdicts.list_completed_trials(run, 0, *key)
        return [trial_ids.verdict_id(run, 0, *key, sample, epoch) for sample, epoch in sorted(missing)]

    async def _list_all_trials(self, record: RunRecord, task: str) -> set[tuple[int, int]] | None:
        """Return every (sample, epoch) of the task; None if the run uses only some samples, or the task was deleted."""
        spec, card = record.run.spec, await self._store.tasks.get(task)
        if card is None or 0 < spec.samples_per_task < card.sample_count:
            return None
        return {(sample, epoch) for sample in range(card.sample_count) for epoch in range(spec.epochs or 1)}


def _count_trials(record: RunRecord) -> dict[RunCellKey, int]:
    return {
        (model, section.task, section.attack): section.trials
        for model in record.run.spec.models
        for section in record.sections
    }
