"""Read what boards side by side are made of: cells, their sums by sample, and one field of the samples."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from libra.errors import Invalid, unknown
from libra.ranking.board.board import rows
from libra.ranking.board.board_notes import on_rows
from libra.ranking.board.board_proto import present
from libra.ranking.board.cell_selection import Entry
from libra.ranking.board.grouping import LANGUAGE, RISK, Group, Outcomes, Values, grouped, reads_samples, whole
from libra.ranking.board.scores import Basis
from libra.ranking.queries.boards import Boards, newest_calibrations
from libra.store.cell_sums import COUNT_FIELDS
from libra.store.cells import CellKey
from libra.store.client import Store
from libra.store.sample_sums import SampleSums
from libra.v1.ranking_pb2 import Board, BoardGroup, GetGroupedBoardRequest, GetGroupedBoardResponse
from libra.v1.verdict_pb2 import Outcome

MAX_GROUPS = 100
AT_ONCE = 8
PAGE_VERDICTS = 2000
UNCOMMON = (Outcome.OUTCOME_FILTERED, Outcome.OUTCOME_UNJUDGED, Outcome.OUTCOME_FAILED)
"""Outcomes that are looked up one by one: nearly all trials are scored."""


class GroupedBoards:
    """Answers GetGroupedBoard from the store."""

    def __init__(self, store: Store, boards: Boards) -> None:
        self._store, self._boards = store, boards
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def answer(self, request: GetGroupedBoardRequest) -> GetGroupedBoardResponse:
        """Return the boards in order of value. Invalid if no sample has the field, NotFound for a run.

        A group's board shows what its samples show: an imported capability is in none.
        """
        by = request.by
        if not by:
            raise Invalid("name what to group by: language, risk, or a field of the samples", field="by")
        selection = await self._boards.select(request.runs)
        entries = [entry for entry in selection.entries if not request.models or entry.cell.model in request.models]
        sums = await self._store.sample_sums.get_or_compute([entry.cell for entry in entries])
        outcomes = await self._outcomes(entries) if reads_samples(by) else {}
        values = await self._values(by, entries, _met(entries, sums, outcomes))
        divided = [entry for entry in entries if whole(by, entry, values[entry.cell.task]) is None]
        groups = await asyncio.to_thread(grouped, by, entries, values, sums, outcomes)
        answer = GetGroupedBoardResponse(notes=[*selection.notes, *_notes(entries, divided, sums, groups)])
        unknown_models = sorted(set(request.models) - {entry.cell.model for entry in entries})
        answer.notes.extend(f"{model} has no verdict in these runs" for model in unknown_models)
        calibrations = await newest_calibrations(self._store) if request.correct_judges else {}
        basis = Basis(calibrations=calibrations, correct=request.correct_judges)
        await asyncio.to_thread(_present, answer, groups, basis)
        return answer

    async def _values(self, by: str, entries: Sequence[Entry], met: Mapping[str, set[int]]) -> dict[str, Values]:
        """Return what the samples of each task are grouped by, as far as trials have `met` them."""
        tasks = sorted({entry.cell.task for entry in entries})
        found = await asyncio.gather(*(self._values_of(by, task, sorted(met[task])) for task in tasks))
        if tasks and by not in (LANGUAGE, RISK) and not any(each.by_ordinal for each in found):
            raise Invalid(unknown("field of the samples", by, await self._fields(tasks)), field="by")
        return dict(zip(tasks, found, strict=True))

    async def _values_of(self, by: str, task: str, ordinals: Sequence[int]) -> Values:
        async with self._turns:
            card = await self._store.tasks.get(task)
            if card is None or not reads_samples(by):
                return Values(card)
            return Values(card, await self._store.tasks.get_field_values(task, ordinals, by))

    async def _fields(self, tasks: Iterable[str]) -> list[str]:
        """Return what the first samples of the tasks could be grouped by."""
        known = {LANGUAGE, RISK}
        for task in tasks:
            if await self._store.tasks.get(task):
                for sample in await self._store.tasks.list_samples(task, limit=10):
                    known.update(sample.fields)
        return sorted(known)

    async def _outcomes(self, entries: Sequence[Entry]) -> dict[CellKey, Outcomes]:
        """Return where the trials are that were not scored, of the cells that have any."""
        wanted = [entry for entry in entries if entry.cell.scored < entry.cell.total]
        found = await asyncio.gather(*(self._outcomes_of(entry) for entry in wanted))
        return {entry.cell.key: outcomes for entry, outcomes in zip(wanted, found, strict=True)}

    async def _outcomes_of(self, entry: Entry) -> Outcomes:
        cell = entry.cell
        where: defaultdict[int, Counter[str]] = defaultdict(Counter)
        async with self._turns:
            for outcome in UNCOMMON:
                name, after = COUNT_FIELDS[outcome], ""
                while getattr(cell, name):
                    page = await self._store.verdicts.list(
                        cell.run,
                        model=cell.model,
                        task=cell.task,
                        attack=cell.attack,
                        outcome=outcome,
                        after=after,
                        limit=PAGE_VERDICTS,
                        brief=True,
                    )
                    for verdict in page:
                        where[verdict.sample][name] += 1
                    if len(page) < PAGE_VERDICTS:
                        break
                    after = page[-1].id
        return where


def _met(
    entries: Iterable[Entry], sums: Mapping[CellKey, SampleSums], outcomes: Mapping[CellKey, Outcomes]
) -> dict[str, set[int]]:
    """Return the ordinals of each task's samples that have a verdict."""
    met: defaultdict[str, set[int]] = defaultdict(set)
    for entry in entries:
        key = entry.cell.key
        met[entry.cell.task].update(outcomes.get(key, ()))
        if key in sums:
            met[entry.cell.task].update(sums[key].ordinals)
    return met


def _notes(
    entries: Sequence[Entry], divided: Iterable[Entry], sums: Mapping[CellKey, SampleSums], groups: Mapping[str, Group]
) -> list[str]:
    notes = []
    if len(groups) > MAX_GROUPS:
        notes.append(f"of {len(groups):,} values, these are the {MAX_GROUPS} with the most trials")
    gone = {entry.name for entry in divided if entry.cell.n and entry.cell.key not in sums}
    if gone:
        notes.append(f"left out, since their verdicts are gone or still coming in: {', '.join(sorted(gone))}")
    waiting = sum(entry.trials - entry.cell.total for entry in entries)
    if waiting:
        notes.append(f"{waiting:,} trials have no verdict yet, and are in no group")
    return notes


def _present(answer: GetGroupedBoardResponse, groups: Mapping[str, Group], basis: Basis) -> None:
    """Add the boards of the largest groups; `basis` is what all have in common."""
    largest = sorted(groups, key=lambda value: (-groups[value].trials, value))[:MAX_GROUPS]
    for value in sorted(largest):
        own = replace(basis, sums=groups[value].sums)
        made = rows(groups[value].entries, own)
        board = Board(rows=[present(row) for row in made], notes=on_rows(made, own))
        board.create_time.GetCurrentTime()
        answer.groups.append(BoardGroup(value=value, board=board))
