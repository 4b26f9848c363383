"""List a run's verdicts a page at a time, with what was asked and answered where that is wanted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from libra.errors import Invalid, NotFound
from libra.rpc import paging
from libra.store.client import Store
from libra.v1.ranking_pb2 import ListVerdictsRequest, ListVerdictsResponse, VerdictView
from libra.v1.verdict_pb2 import Verdict

DEFAULT_PAGE = 50
MAX_PAGE = 500
MAX_FULL_PAGE = 50

MAX_PAGE_BYTES = 8 * 1024 * 1024
"""A page ends early rather than be larger: half of what a call may carry. One verdict alone is at most some 5 MiB."""

FILLED_AT_ONCE = 8
"""Completions read in one go: at most some 24 MiB."""


class Listing:
    """Answers ListVerdicts from the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def page(self, request: ListVerdictsRequest) -> ListVerdictsResponse:
        """Return one page in the order of trials. NotFound for an unknown run; Invalid for a field."""
        full = request.view == VerdictView.VERDICT_VIEW_FULL
        size = paging.page_size(request.page_size, default=DEFAULT_PAGE, most=MAX_FULL_PAGE if full else MAX_PAGE)
        scope = _scope(request)
        after = paging.decode(request.page_token, scope)
        await self._check(request)
        found = await self._store.verdicts.list(
            request.run,
            judging=request.judging,
            model=request.model,
            task=request.task,
            attack=request.attack,
            outcome=request.outcome or None,
            after=after,
            limit=size + 1,
        )
        verdicts = await self._fitting(found[:size], full=full)
        more = len(verdicts) < len(found)
        token = paging.encode(verdicts[-1].id, scope) if more else ""
        return ListVerdictsResponse(verdicts=verdicts, next_page_token=token)

    async def _check(self, request: ListVerdictsRequest) -> None:
        if await self._store.runs.get_state(request.run) is None:
            raise NotFound.run(request.run, field="run")
        for field in ("model", "task", "attack"):
            if "/" in getattr(request, field):
                raise Invalid(f"{getattr(request, field)!r} is no {field}'s name: it holds a '/'", field=field)
        if request.judging < 0:
            raise Invalid("it is negative; 0 is the run's own judging", field="judging")

    async def _fitting(self, verdicts: Sequence[Verdict], *, full: bool) -> list[Verdict]:
        """Return the first of the verdicts, with what was asked and answered if `full`: as many as fit, at least one."""
        fitting: list[Verdict] = []
        room = MAX_PAGE_BYTES
        async for verdict in self._filled(verdicts) if full else _each(verdicts):
            room -= verdict.ByteSize()
            if fitting and room < 0:
                break
            fitting.append(verdict)
        return fitting

    async def _filled(self, verdicts: Sequence[Verdict]) -> AsyncIterator[Verdict]:
        for start in range(0, len(verdicts), FILLED_AT_ONCE):
            some = verdicts[start : start + FILLED_AT_ONCE]
            wanted = {verdict.completion_id for verdict in some} - {""}
            completions = await self._store.completions.get_many(wanted)
            messages = await self._store.completions.get_messages(wanted)
            for verdict in some:
                if verdict.completion_id in completions:
                    verdict.completion.CopyFrom(completions[verdict.completion_id])
                    verdict.messages.extend(messages[verdict.completion_id])
                yield verdict


async def _each(verdicts: Sequence[Verdict]) -> AsyncIterator[Verdict]:
    for verdict in verdicts:
        yield verdict


def _scope(request: ListVerdictsRequest) -> str:
    """Return the name of the list with all its filters: a token of one is none of another."""
    parts = (request.run, request.judging, request.model, request.task, request.attack, request.outcome)
    return f"verdicts/{'/'.join(map(str, parts))}"
