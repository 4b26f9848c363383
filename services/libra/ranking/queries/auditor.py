"""Answers AuditRun: reads a run's verdicts, completions and cells a page at a time, and checks the laws on them."""

from __future__ import annotations

from collections.abc import Callable

from libra.core.errors import NotFound
from libra.core.event_types import AUDIT_FAILED
from libra.ranking.audit import LAW_8_BUDGET, LAWS, MAX_NAMED, Audit, RunCellKey, audit_budget
from libra.ranking.rounds.sample_audit import LAW_ROUND_SAMPLES, audit_round_samples
from libra.ranking.verdicts.verdict_pages import read_run_pages
from libra.store.client import Store
from libra.store.continuous.webhooks import Event
from libra.store.documents import trial_ids
from libra.store.documents.create_time import now
from libra.store.runs import FINISHED, RunRecord
from libra.v1.ranking_pb2 import AuditFinding, AuditRunResponse
from libra.v1.run_pb2 import Run

AuditObserver = Callable[[AuditRunResponse], None]
"""Is told the result of each audit."""


class Auditor:
    """Audits runs, whether running, finished or cancelled."""

    def __init__(self, store: Store, observe: AuditObserver = lambda _: None) -> None:
        self._store, self._observe = store, observe

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
        findings = audit.findings()
        if record.run.spec.HasField("budget"):
            response.laws.append(LAW_8_BUDGET)
            ledger = await self._store.budgets.get(run)
            if ledger is not None or response.completions:  # a run that was just created may have no ledger yet
                findings += filter(None, [audit_budget(run, ledger)])
        response.findings.extend(
            AuditFinding(law=finding.law, message=finding.message, concerned=finding.concerned) for finding in findings
        )
        if record.run.spec.round:
            response.laws.append(LAW_ROUND_SAMPLES)
            response.findings.extend(await audit_round_samples(self._store, record.run.spec.round))
        self._observe(response)
        if response.findings:
            await self._store.events.emit(audit_event(record.run, response))
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


def audit_event(run: Run, response: AuditRunResponse) -> Event:
    """Return the event of an audit that failed, one for each run."""
    data = {"run": run.id, "laws": sorted({finding.law for finding in response.findings})}
    return Event(AUDIT_FAILED, f"runs/{run.id}", data, now(), run.team)
