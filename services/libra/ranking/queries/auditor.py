"""Read a run's verdicts, completions and cells, a page at a time, and put them to the audit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from libra.errors import NotFound
from libra.ranking.audit import LAWS, SHOWN, Audit, Place
from libra.store import trial_ids
from libra.store.client import Store
from libra.store.runs import RunRecord
from libra.v1.ranking_pb2 import AuditFinding, AuditRunResponse
from libra.v1.run_pb2 import RunState
from libra.v1.verdict_pb2 import Verdict

PAGE_VERDICTS = 2000


class Auditor:
    """Audits runs, running, finished or cancelled."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def audit(self, run: str) -> AuditRunResponse:
        """Check every law over the run's own judging; NotFound if there is no such run."""
        record = await self._store.runs.get(run)
        if record is None:
            raise NotFound.run(run, field="run")
        audit = Audit(run, _trials(record), finished=record.run.state == RunState.RUN_STATE_FINISHED)
        told = AuditRunResponse(laws=LAWS)
        await self._read_verdicts(run, audit, told)
        await self._read_cells(run, audit, told)
        await self._name_missing(record, audit)
        told.findings.extend(
            AuditFinding(law=finding.law, message=finding.message, concerned=finding.concerned)
            for finding in audit.findings()
        )
        return told

    async def _read_verdicts(self, run: str, audit: Audit, told: AuditRunResponse) -> None:
        async for page in self._pages(run):
            wanted = {verdict.completion_id for verdict in page} - {""}
            there = await self._store.completions.find_existing(wanted)
            told.verdicts += len(page)
            told.completions += len(wanted)
            for verdict in page:
                audit.verdict(
                    verdict.id,
                    (verdict.model, verdict.task, verdict.attack),
                    verdict.outcome,
                    verdict.completion_id,
                    there=verdict.completion_id in there,
                )

    async def _pages(self, run: str) -> AsyncIterator[Sequence[Verdict]]:
        after = ""
        while page := await self._store.verdicts.list(run, after=after, limit=PAGE_VERDICTS, brief=True):
            yield page
            after = page[-1].id

    async def _read_cells(self, run: str, audit: Audit, told: AuditRunResponse) -> None:
        cells = {(cell.model, cell.task, cell.attack): cell for cell in await self._store.cells.list_for_runs([run])}
        for place in sorted({*audit.places(), *cells}):
            kept, counted = await self._store.cells.recount(run, 0, *place)
            audit.cell(place, kept, counted, cells[place].judges if place in cells else ())
            told.cells += 1

    async def _name_missing(self, record: RunRecord, audit: Audit) -> None:
        """Say which trials have no verdict, of as many places as it takes to name enough."""
        named = 0
        for place in audit.short():
            names = await self._missing(record, audit, place) if named < SHOWN else []
            audit.missing(place, names)
            named += len(names)

    async def _missing(self, record: RunRecord, audit: Audit, place: Place) -> list[str]:
        """Return the names of a place's trials that have no verdict; none if it cannot be told which it has at all.

        It holds the (sample, epoch) of one place in memory.
        """
        run, (_, task, attack) = record.run.id, place
        wanted = await self._all(record, task)
        if wanted is None:
            # The seed chose among the samples, for every model the same: another one's verdicts tell which.
            peer = audit.complete(task, attack)
            wanted = await self._store.verdicts.list_completed_trials(run, 0, *peer) if peer else set()
        lacking = wanted - await self._store.verdicts.list_completed_trials(run, 0, *place)
        return [trial_ids.verdict_id(run, 0, *place, sample, epoch) for sample, epoch in sorted(lacking)]

    async def _all(self, record: RunRecord, task: str) -> set[tuple[int, int]] | None:
        """Return every (sample, epoch) of the task; None if the run does not have them all, or the task is gone."""
        spec, card = record.run.spec, await self._store.tasks.get(task)
        if card is None or 0 < spec.samples_per_task < card.sample_count:
            return None
        return {(sample, epoch) for sample in range(card.sample_count) for epoch in range(spec.epochs or 1)}


def _trials(record: RunRecord) -> dict[Place, int]:
    return {
        (model, section.task, section.attack): section.trials
        for model in record.run.spec.models
        for section in record.sections
    }
