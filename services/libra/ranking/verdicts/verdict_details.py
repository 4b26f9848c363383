"""Answers GetVerdict: one verdict with everything that is stored about its trial, and its neighbours in a list."""

from __future__ import annotations

from libra.core.errors import Invalid, NotFound
from libra.ranking.verdicts.completed_verdicts import add_completions, redact_sealed
from libra.ranking.verdicts.verdict_scan import ContentFilter, Position, VerdictScanner
from libra.ranking.verdicts.verdict_selection import check_selection
from libra.store.client import Store
from libra.store.reports.verdict_search import VerdictFilter
from libra.v1.ranking_pb2 import GetVerdictRequest, GetVerdictResponse
from libra.v1.verdict_pb2 import Verdict


class VerdictReader:
    """Answers GetVerdict from the store."""

    def __init__(self, store: Store) -> None:
        self._store, self._scanner = store, VerdictScanner(store)

    async def get(self, request: GetVerdictRequest) -> GetVerdictResponse:
        """Return one verdict. Raises NotFound for an unknown one, and Invalid for a list that it does not belong to."""
        stored = await find_verdict(self._store, request.id)
        [verdict] = await redact_sealed(self._store, [stored])
        async for each in add_completions(self._store, [verdict]):
            verdict = each
        response = GetVerdictResponse(verdict=verdict)
        await self._add_neighbours(response, request)
        await self._add_judge(response, verdict)
        if not verdict.sealed:
            await self._add_sample(response, verdict)
        return response

    async def _add_neighbours(self, response: GetVerdictResponse, request: GetVerdictRequest) -> None:
        verdict = response.verdict
        selection, content = VerdictFilter(verdict.run, verdict.judging), ContentFilter()
        if request.HasField("list"):
            if request.list.run != verdict.run:
                raise Invalid(f"the verdict belongs to the run {verdict.run}", field="list.run")
            selection, content = await check_selection(self._store, request.list)
        after = await self._scanner.scan(selection, content, Position(verdict.id), 1)
        before = await self._scanner.scan(selection, content, Position(verdict.id, backward=True), 1)
        response.next_id = after.verdicts[0].id if after.verdicts else ""
        response.previous_id = before.verdicts[0].id if before.verdicts else ""

    async def _add_judge(self, response: GetVerdictResponse, verdict: Verdict) -> None:
        record = await self._store.runs.get(verdict.run)
        if record is None:
            return
        response.judge_model = record.run.spec.judge_model
        for section in record.sections:
            if (section.task, section.attack) == (verdict.task, verdict.attack):
                response.judge.CopyFrom(section.judge)

    async def _add_sample(self, response: GetVerdictResponse, verdict: Verdict) -> None:
        try:
            [sample] = await self._store.tasks.get_samples(verdict.task, [verdict.sample])
        except NotFound:  # the task was deleted
            return
        response.plain_messages.extend(sample.messages)
        response.sample_fields.update(sample.fields)


async def find_verdict(store: Store, verdict: str) -> Verdict:
    """Return a verdict of a run that this task sees; raise NotFound."""
    found = await store.verdict_search.get(verdict)
    if found is None or not await store.runs.is_visible(found.run):
        raise NotFound(f"there is no verdict {verdict!r}; `libra verdicts RUN` lists those of a run", field="id")
    return found
