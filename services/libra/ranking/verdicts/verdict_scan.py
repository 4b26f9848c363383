"""Finds a page of verdicts, also by text that is stored elsewhere: in completions, and in reasons of judges."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from libra.ranking.verdicts.failure_reasons import reason_pattern
from libra.store.client import Store
from libra.store.reports.verdict_search import VerdictFilter
from libra.v1.verdict_pb2 import Verdict

CHUNK_VERDICTS = 500
"""Verdicts whose texts are searched at once: with short answers in about 20 ms."""

SEARCH_SECONDS = 2.0
"""A search for text ends after this time, and the next page continues it."""


@dataclass(frozen=True, slots=True)
class ContentFilter:
    """Selects verdicts by text that may quote their sample; an empty field selects all."""

    text: str = ""
    """Anywhere in the trial, in upper or lower case."""

    reason: str = ""
    """A reason in the form of `libra.ranking.verdicts.failure_reasons.normalize_reason`."""

    def __bool__(self) -> bool:
        return bool(self.text or self.reason)


@dataclass(frozen=True, slots=True)
class Position:
    """The beginning of a page: after the verdict `id`, or with `backward` before it."""

    id: str = ""
    backward: bool = False


@dataclass(frozen=True, slots=True)
class ScanResult:
    """The verdicts of a page, in the order in which they were read."""

    verdicts: Sequence[Verdict]
    end: str = ""
    """The id at which the list goes on; empty at its end."""

    searched: int = 0
    """Verdicts whose text was searched."""

    is_incomplete: bool = False
    """Whether the search ended at its time limit."""


class VerdictScanner:
    """Reads pages of verdicts from the store. No text of a sealed sample selects its verdict."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._clock = store, clock

    async def scan(
        self, selection: VerdictFilter, content: ContentFilter, position: Position, limit: int
    ) -> ScanResult:
        """Return up to `limit` verdicts from a position on, backwards if it says so."""
        if content:
            return await self._search(selection, content, position, limit, self._clock() + SEARCH_SECONDS)
        found = await self._read(selection, position, limit + 1)
        return ScanResult(found[:limit], found[limit - 1].id if len(found) > limit else "")

    async def search_runs(
        self, selection: VerdictFilter, content: ContentFilter, position: Position, limit: int
    ) -> ScanResult:
        """Return up to `limit` verdicts of all runs, the newest run first, from a position on."""
        deadline, found, searched = self._clock() + SEARCH_SECONDS, list[Verdict](), 0
        run = run_of(position) or await self._store.runs.find_newest_id()
        while run:
            part = await self._search(replace(selection, run=run), content, position, limit - len(found), deadline)
            found += part.verdicts
            searched += part.searched
            if part.end:
                return ScanResult(found, part.end, searched, part.is_incomplete)
            run = await self._store.runs.find_newest_id(before=run)
            position = Position(f"{run}/" if run else "")  # before the first verdict of the run
            is_late = self._clock() > deadline
            if is_late or len(found) == limit:
                return ScanResult(found, position.id, searched, is_incomplete=is_late and bool(run))
        return ScanResult(found, "", searched)

    async def _search(
        self, selection: VerdictFilter, content: ContentFilter, position: Position, limit: int, deadline: float
    ) -> ScanResult:
        found, searched = list[Verdict](), 0
        while True:
            chunk = await self._read(selection, position, CHUNK_VERDICTS)
            found += await self._match(chunk, content)
            searched += len(chunk)
            if len(found) > limit:
                return ScanResult(found[:limit], found[limit - 1].id, searched)
            if len(chunk) < CHUNK_VERDICTS:
                return ScanResult(found, "", searched)
            position = Position(chunk[-1].id, position.backward)
            if self._clock() > deadline:
                return ScanResult(found, position.id, searched, is_incomplete=True)

    async def _read(self, selection: VerdictFilter, position: Position, limit: int) -> list[Verdict]:
        bound = {"before" if position.backward else "after": position.id}
        return await self._store.verdict_search.list(selection, **bound, backward=position.backward, limit=limit)

    async def _match(self, chunk: Sequence[Verdict], content: ContentFilter) -> list[Verdict]:
        """Return the verdicts with the text and the reason, without those on sealed samples."""
        ordinals: defaultdict[str, list[int]] = defaultdict(list)
        for verdict in chunk:
            ordinals[verdict.task].append(verdict.sample)
        sealed = await self._store.seals.find_sealed(ordinals)
        shown = [verdict for verdict in chunk if verdict.sample not in sealed.get(verdict.task, ())]
        if content.reason:
            reason = reason_pattern(content.reason)
            shown = [verdict for verdict in shown if reason.match(verdict.rationale)]
        return await self._match_text(shown, content.text) if content.text else shown

    async def _match_text(self, shown: Sequence[Verdict], text: str) -> list[Verdict]:
        completions = {verdict.completion_id for verdict in shown} - {""}
        found = await self._store.verdict_search.find_text(completions, text)
        pattern = re.compile(re.escape(text), re.IGNORECASE)
        return [
            verdict
            for verdict in shown
            if verdict.completion_id in found or any(map(pattern.search, _stored_texts(verdict)))
        ]


def run_of(position: Position) -> str:
    """Return the run that a position lies in; "" for the beginning of a list."""
    return position.id.partition("/")[0]


def _stored_texts(verdict: Verdict) -> Iterator[str]:
    yield verdict.rationale
    yield from (message.content for message in verdict.log)
