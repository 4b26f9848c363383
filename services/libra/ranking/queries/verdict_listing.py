"""Answers ListVerdicts: lists a run's verdicts in pages, in the full view with messages and completions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from libra.core.errors import Invalid, NotFound
from libra.rpc import paging
from libra.store.client import Store
from libra.v1.ranking_pb2 import ListVerdictsRequest, ListVerdictsResponse, VerdictView
from libra.v1.verdict_pb2 import Verdict

DEFAULT_PAGE = 50
MAX_PAGE = 500
MAX_FULL_PAGE = 50

MAX_PAGE_BYTES = 8 * 1024 * 1024
"""A page ends before it is larger: half of a call's limit. One verdict alone is about 5 MiB at most."""

READ_COMPLETIONS = 8
"""The most in one request: about 24 MiB at most."""


class VerdictListReader:
    """Answers ListVerdicts from the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._page_tokens = paging.PageTokens(store.load_page_token_key)

    async def list_page(self, request: ListVerdictsRequest) -> ListVerdictsResponse:
        """Return one page in the order of trials. Raises NotFound for an unknown run, and Invalid for a bad field."""
        full = request.view == VerdictView.VERDICT_VIEW_FULL
        size = paging.page_size(request.page_size, default=DEFAULT_PAGE, maximum=MAX_FULL_PAGE if full else MAX_PAGE)
        list_name = _name_list(request)
        after = await self._page_tokens.decode(request.page_token, list_name)
        await self._check_request(request)
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
        verdicts = await self._limit_bytes(found[:size], full=full)
        has_more = len(verdicts) < len(found)
        token = await self._page_tokens.encode(verdicts[-1].id, list_name) if has_more else ""
        return ListVerdictsResponse(verdicts=verdicts, next_page_token=token)

    async def _check_request(self, request: ListVerdictsRequest) -> None:
        if await self._store.runs.get_state(request.run) is None:
            raise NotFound.run(request.run, field="run")
        for field in ("model", "task", "attack"):
            if "/" in getattr(request, field):
                raise Invalid(
                    f"{getattr(request, field)!r} is not the name of a {field}: it contains a '/'", field=field
                )
        if request.judging < 0:
            raise Invalid("it is negative; 0 is the run's own judging", field="judging")

    async def _limit_bytes(self, verdicts: Sequence[Verdict], *, full: bool) -> list[Verdict]:
        """Return the first verdicts that fit in a page, at least one, with messages and completions if `full`."""
        page: list[Verdict] = []
        remaining_bytes = MAX_PAGE_BYTES
        async for verdict in self._add_completions(verdicts) if full else _iterate(verdicts):
            remaining_bytes -= verdict.ByteSize()
            if page and remaining_bytes < 0:
                break
            page.append(verdict)
        return page

    async def _add_completions(self, verdicts: Sequence[Verdict]) -> AsyncIterator[Verdict]:
        for start in range(0, len(verdicts), READ_COMPLETIONS):
            group = verdicts[start : start + READ_COMPLETIONS]
            ids = {verdict.completion_id for verdict in group} - {""}
            completions = await self._store.completions.get_many(ids)
            messages = await self._store.completions.get_messages(ids)
            for verdict in group:
                if verdict.completion_id in completions:
                    verdict.completion.CopyFrom(completions[verdict.completion_id])
                    verdict.messages.extend(messages[verdict.completion_id])
                yield verdict


async def _iterate(verdicts: Sequence[Verdict]) -> AsyncIterator[Verdict]:
    for verdict in verdicts:
        yield verdict


def _name_list(request: ListVerdictsRequest) -> str:
    """Return the name of the list with all its filters: a page token is valid only for its own list."""
    parts = (request.run, request.judging, request.model, request.task, request.attack, request.outcome)
    return f"verdicts/{'/'.join(map(str, parts))}"
