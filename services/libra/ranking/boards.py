"""Read the cells that a board is made of. Verdicts are never read for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from libra.errors import Invalid, NotFound
from libra.ranking.board import rows
from libra.ranking.presenting import present
from libra.ranking.selection import Entry, Selection, ambiguous, choose
from libra.store.cells import Cell
from libra.store.client import Store
from libra.store.runs import RunRecord, Section
from libra.v1.ranking_pb2 import Board, GetBoardResponse

MAX_RUNS = 500
"""That a board can be asked for by name."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """The board of all finished runs, and what it was made of."""

    runs: Mapping[str, int]
    selection: Selection
    answer: GetBoardResponse
    """As it is sent: to put a board of some thousand cells into its answer takes longer than to write it out."""


class Boards:
    """Makes boards. The one of all finished runs is read anew only when one more has finished: its cells stand still."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: _Kept | None = None
        self._reading = asyncio.Lock()

    async def read(self, runs: Sequence[str] = (), models: Sequence[str] = ()) -> Board:
        """Return the board of these runs, finished or not; without any, of all that are finished. NotFound for a run.

        The revision is derived, so that every replica gives the same one: each verdict and each change of a run that the
        board takes in raises it. `models` chooses among the rows; what is compared with what does not depend on it.
        """
        return (await self.answer(runs, models)).board

    async def answer(self, runs: Sequence[str], models: Sequence[str]) -> GetBoardResponse:
        """Return the same in the answer to a call."""
        if runs:
            return _answer(*await self._named(runs), models)
        kept = await self._finished()
        return _answer(kept.selection, kept.answer.board.revision, models) if models else kept.answer

    async def _finished(self) -> _Kept:
        # One at a time: when a run has finished, everyone who watches asks at once.
        async with self._reading:
            runs = await self._store.runs.finished()
            if self._kept is None or self._kept.runs != runs:
                cells = await self._store.cells.of_runs(list(runs))
                selection = await self._choose([Entry(cell, cell.all) for cell in cells])
                revision = sum(runs.values()) + sum(cell.all for cell in cells)
                self._kept = _Kept(runs, selection, _answer(selection, revision))
            return self._kept

    async def _named(self, runs: Sequence[str]) -> tuple[Selection, int]:
        if len(runs) > MAX_RUNS:
            raise Invalid(
                f"{len(runs)} runs are more than {MAX_RUNS}; name fewer, or none for all finished", field="runs"
            )
        records = await asyncio.gather(*(self._record(run) for run in sorted(set(runs))))
        cells = await self._store.cells.of_runs([record.run.id for record in records])
        selection = await self._choose(expected(records, cells))
        revision = sum(record.run.revision for record in records) + sum(cell.all for cell in cells)
        return selection, revision

    async def _choose(self, entries: Sequence[Entry]) -> Selection:
        several = ambiguous(entries)
        return choose(entries, await self._store.tasks.ages(several) if several else {})

    async def _record(self, run: str) -> RunRecord:
        record = await self._store.runs.get(run)
        if record is None:
            raise NotFound(f"there is no run {run!r}; `libra run list` shows those there are", field="runs")
        return record


def _answer(selection: Selection, revision: int, models: Sequence[str] = ()) -> GetBoardResponse:
    entries = [entry for entry in selection.entries if not models or entry.cell.model in models]
    unknown = sorted(set(models) - {entry.cell.model for entry in entries})
    answer = GetBoardResponse()
    board = answer.board
    board.rows.extend(present(row) for row in rows(entries))
    board.notes.extend([*selection.notes, *(f"{model} has no verdict in these runs" for model in unknown)])
    board.revision = revision
    board.create_time.GetCurrentTime()
    return answer


def expected(records: Iterable[RunRecord], cells: Iterable[Cell]) -> list[Entry]:
    """Return an entry for each model and section of the runs, with an empty cell where there is no verdict yet."""
    found = {(cell.run, cell.model, cell.task, cell.attack): cell for cell in cells}
    entries = []
    for record in records:
        for model in record.run.spec.models:
            for section in record.sections:
                key = (record.run.id, model, section.task, section.attack)
                cell = found.pop(key, None) or _empty(record.run.id, model, section)
                entries.append(Entry(cell, max(section.trials, cell.all)))
    return entries + [Entry(cell, cell.all) for cell in found.values()]


def _empty(run: str, model: str, section: Section) -> Cell:
    return Cell(
        run=run,
        judging=0,
        model=model,
        task=section.task,
        attack=section.attack,
        category=section.category,
        judges=(),
        n=0,
        sum=0.0,
        sum_squares=0.0,
        scored=0,
        filtered=0,
        unjudged=0,
        failed=0,
    )
