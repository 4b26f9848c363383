"""Answers CompareSamples: lists the samples that two sides share, with a verdict of each side."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from google.protobuf.json_format import MessageToJson

from libra.core.attack_names import task_label
from libra.core.errors import Invalid, unknown
from libra.ranking.comparison.pairing import ComparisonSide, TaskPair, TaskPairing, match_tasks
from libra.ranking.comparison.sample_changes import SharedSample, count_changes, list_samples
from libra.ranking.queries.comparisons import ComparedSides, ComparisonReader
from libra.ranking.verdicts.completed_verdicts import add_completions, redact_sealed
from libra.rpc import paging
from libra.store.client import Store
from libra.store.sums.cells import Cell
from libra.v1.ranking_pb2 import (
    ComparedSample,
    CompareSamplesRequest,
    CompareSamplesResponse,
    SampleChange,
    VerdictView,
)
from libra.v1.verdict_pb2 import Verdict

DEFAULT_PAGE, MAX_PAGE = 20, 50
MAX_PAGE_BYTES = 8 * 1024 * 1024
"""A page ends before it is larger: half of a call's limit."""


@dataclass(frozen=True, slots=True)
class ListedSample:
    """A sample with the cells of its verdicts."""

    pair: TaskPair
    sample: SharedSample
    cells: tuple[Cell, Cell]

    @property
    def key(self) -> str:
        """Its place in the list, for a page token."""
        return f"{self.pair.label} {self.sample.ordinal}"


class SampleComparisonReader:
    """Answers CompareSamples from the store."""

    def __init__(self, store: Store, comparisons: ComparisonReader) -> None:
        self._store, self._comparisons = store, comparisons
        self._page_tokens = paging.PageTokens(store.load_page_token_key)

    async def list_page(self, request: CompareSamplesRequest) -> CompareSamplesResponse:
        """Return one page. Raises as `ComparisonReader.load_sides`, and Invalid for a bad field."""
        size = paging.page_size(request.page_size, default=DEFAULT_PAGE, maximum=MAX_PAGE)
        if request.change not in SampleChange.values():
            raise Invalid(f"{request.change} is not the number of a class of samples", field="change")
        list_name = f"samples/{MessageToJson(request.comparison)}/{request.change}/{request.what}"
        start_key = await self._page_tokens.decode(request.page_token, list_name)
        sides = await self._comparisons.load_sides(request.comparison)
        pairing = await asyncio.to_thread(match_tasks, sides.one, sides.other)
        check_task(request.what, pairing)
        listed = list(select_samples(pairing, sides, request.what, request.change))
        start = next((index for index, each in enumerate(listed) if each.key == start_key), 0)
        response = CompareSamplesResponse(counts=map(count_changes, pairing.pairs))
        full = request.view == VerdictView.VERDICT_VIEW_FULL
        response.samples.extend(await self._load(listed[start : start + size], full=full))
        end = start + len(response.samples)
        if end < len(listed):
            response.next_page_token = await self._page_tokens.encode(listed[end].key, list_name)
        if start:
            before = listed[max(0, start - size)].key
            response.previous_page_token = await self._page_tokens.encode(before, list_name)
        return response

    async def _load(self, listed: Sequence[ListedSample], *, full: bool) -> list[ComparedSample]:
        """Return the first samples that fit in a page, at least one."""
        first = await self._load_verdicts([(each.cells[0], each.sample.ordinal) for each in listed], full=full)
        second = await self._load_verdicts([(each.cells[1], each.sample.ordinal) for each in listed], full=full)
        page: list[ComparedSample] = []
        remaining_bytes = MAX_PAGE_BYTES
        for each, verdict, other_verdict in zip(listed, first, second, strict=True):
            found = _to_proto(each, verdict, other_verdict)
            remaining_bytes -= found.ByteSize()
            if page and remaining_bytes < 0:
                break
            page.append(found)
        return page

    async def _load_verdicts(self, trials: Sequence[tuple[Cell, int]], *, full: bool) -> list[Verdict | None]:
        """Return the verdict of the first epoch that has one, for each cell and sample."""
        found = await asyncio.gather(*(self._find_first(cell, ordinal) for cell, ordinal in trials))
        shown = await redact_sealed(self._store, [verdict for verdict in found if verdict])
        if full:
            shown = [verdict async for verdict in add_completions(self._store, shown)]
        by_id = {verdict.id: verdict for verdict in shown}
        return [by_id[verdict.id] if verdict else None for verdict in found]

    async def _find_first(self, cell: Cell, ordinal: int) -> Verdict | None:
        return await self._store.verdict_search.find_first_epoch(cell.run, cell.model, cell.task, cell.attack, ordinal)


def check_task(what: str, pairing: TaskPairing) -> None:
    """Raise Invalid for a task that the two sides do not share."""
    labels = [pair.label for pair in pairing.pairs]
    if what and what not in labels:
        raise Invalid(pairing.reasons.get(what) or unknown("compared task", what, labels), field="what")


def select_samples(pairing: TaskPairing, sides: ComparedSides, what: str, change: int) -> Iterator[ListedSample]:
    """Yield the samples of one task or of all, of one class or of all, in order of task and sample."""
    one, other = _cells_by_label(sides.one), _cells_by_label(sides.other)
    for pair in pairing.pairs:
        if what in {"", pair.label}:
            cells = one[pair.label], other[pair.label]
            for sample in list_samples(pair):
                if change in {SampleChange.SAMPLE_CHANGE_UNSPECIFIED, sample.change}:
                    yield ListedSample(pair, sample, cells)


def _cells_by_label(side: ComparisonSide) -> Mapping[str, Cell]:
    return {task_label(each.task_name, each.cell.attack): each.cell for each in side.board_cells}


def _to_proto(listed: ListedSample, verdict: Verdict | None, other_verdict: Verdict | None) -> ComparedSample:
    return ComparedSample(
        what=listed.pair.label,
        change=listed.sample.change,
        score=listed.sample.score,
        other_score=listed.sample.other_score,
        verdict=verdict,
        other_verdict=other_verdict,
    )
