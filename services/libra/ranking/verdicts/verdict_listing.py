"""Answers ListVerdicts: lists a run's verdicts in pages, in the full view with messages and completions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

from libra.core.errors import Invalid
from libra.core.sealed.auditor_key import is_key
from libra.ranking.verdicts.completed_verdicts import add_completions, redact_sealed
from libra.ranking.verdicts.text_excerpts import find_excerpts
from libra.ranking.verdicts.verdict_scan import Position, VerdictScanner
from libra.ranking.verdicts.verdict_selection import check_selection, name_list
from libra.rpc import paging
from libra.store.client import Store
from libra.store.reports.verdict_search import MAX_COUNT, VerdictFilter
from libra.v1.ranking_pb2 import ListVerdictsRequest, ListVerdictsResponse, VerdictView
from libra.v1.round_pb2 import SealedLook
from libra.v1.verdict_pb2 import Verdict

DEFAULT_PAGE = 50
MAX_PAGE = 500
MAX_FULL_PAGE = 50

BACKWARD = "<"
"""Marks the position of a page that is read backwards."""

MAX_PAGE_BYTES = 8 * 1024 * 1024
"""A page ends before it is larger: half of a call's limit. One verdict alone is about 5 MiB at most."""


class VerdictListReader:
    """Answers ListVerdicts from the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._scanner = VerdictScanner(store)
        self._page_tokens = paging.PageTokens(store.load_page_token_key)

    async def list_page(self, request: ListVerdictsRequest, auditor: str = "") -> ListVerdictsResponse:
        """Return one page in the order of trials. Raises NotFound for an unknown run, and Invalid for a bad field.

        Without a run, a text is searched in all runs.

        Verdicts on sealed samples are shown without what may quote them, unless the request has the key of their round;
        `auditor` is then the caller's address, and the look is recorded before it is answered.
        """
        full = request.view == VerdictView.VERDICT_VIEW_FULL
        reads_texts = full or request.excerpts
        maximum = MAX_FULL_PAGE if reads_texts else MAX_PAGE
        size = paging.page_size(request.page_size, default=DEFAULT_PAGE, maximum=maximum)
        list_name = name_list(request)
        start = parse_position(await self._page_tokens.decode(request.page_token, list_name))
        selection, content = await check_selection(self._store, request)
        scan = self._scanner.scan if request.run else self._scanner.search_runs
        found = await scan(selection, content, start, size)
        opened = await self._check_key(request)
        await self._record_look(request, [each.task for each in found.verdicts], opened, auditor)
        page = await self._limit_bytes(await redact_sealed(self._store, found.verdicts, opened), full=full)
        end = page[-1].id if len(page) < len(found.verdicts) else found.end
        if start.backward:
            page.reverse()
        response = ListVerdictsResponse(
            verdicts=page, searched=found.searched, is_search_incomplete=found.is_incomplete
        )
        await self._add_tokens(response, start, end, list_name)
        if not request.run:
            response.previous_page_token = ""  # the runs are read in one direction
        if request.excerpts and content.text:
            response.excerpts.extend(await find_excerpts(self._store, page, content.text))
        if request.count and not content:
            await self._add_count(response, selection)
        return response

    async def _add_tokens(self, response: ListVerdictsResponse, start: Position, end: str, list_name: str) -> None:
        if start.backward:
            last = response.verdicts[-1].id if response.verdicts else start.id[:-1]
            positions = {"next_page_token": Position(last), "previous_page_token": Position(end, backward=True)}
        else:
            before = f"{start.id}/" if start.id else ""  # sorts directly after the verdict that the page begins after
            positions = {"next_page_token": Position(end), "previous_page_token": Position(before, backward=True)}
        for name, position in positions.items():
            if position.id:
                setattr(response, name, await self._page_tokens.encode(format_position(position), list_name))

    async def _add_count(self, response: ListVerdictsResponse, selection: VerdictFilter) -> None:
        total = await self._store.verdict_search.count(selection)
        if total is not None:
            response.total = min(total, MAX_COUNT)
            response.has_more_than_total = total > MAX_COUNT

    async def _record_look(
        self, request: ListVerdictsRequest, tasks: Sequence[str], opened: Mapping[str, str], auditor: str
    ) -> None:
        shown = [task for task in tasks if task in opened]
        if shown:
            look = SealedLook(round=opened[shown[0]], peer=auditor, count=len(shown))
            in_full = " in full" if request.view == VerdictView.VERDICT_VIEW_FULL else ""
            look.subject = f"verdicts of the run {request.run}{in_full}"
            await self._store.sealed_looks.add(look)

    async def _check_key(self, request: ListVerdictsRequest) -> dict[str, str]:
        """Return the tasks that the auditor's key opens, each with its round; raise Invalid if it opens none."""
        if not request.auditor_key:
            return {}
        record = await self._store.runs.get(request.run)
        name = record.run.spec.round if record else ""
        round_record = await self._store.rounds.get(name) if name else None
        if record is None or round_record is None or not is_key(request.auditor_key, round_record.key_hash):
            whose = f"the round {name}" if name else "a round: the run belongs to none"
            raise Invalid(f"it is not the auditor's key of {whose}", field="auditor_key")
        return {section.task: name for section in record.sections}

    async def _limit_bytes(self, verdicts: Sequence[Verdict], *, full: bool) -> list[Verdict]:
        """Return the first verdicts that fit in a page, at least one, with messages and completions if `full`."""
        page: list[Verdict] = []
        remaining_bytes = MAX_PAGE_BYTES
        async for verdict in add_completions(self._store, verdicts) if full else _iterate(verdicts):
            remaining_bytes -= verdict.ByteSize()
            if page and remaining_bytes < 0:
                break
            page.append(verdict)
        return page


async def _iterate(verdicts: Sequence[Verdict]) -> AsyncIterator[Verdict]:
    for verdict in verdicts:
        yield verdict


def parse_position(text: str) -> Position:
    """Return the position that a page token contains; no id begins with "<"."""
    return Position(text.removeprefix(BACKWARD), backward=text.startswith(BACKWARD))


def format_position(position: Position) -> str:
    """Return the text of a position for a page token."""
    return f"{BACKWARD if position.backward else ''}{position.id}"
