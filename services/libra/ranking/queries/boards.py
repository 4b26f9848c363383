"""Read what a board is made of. Of the verdicts, only what each sample adds up to is read, and that once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from libra.errors import Invalid, NotFound
from libra.ranking.board.board import rows
from libra.ranking.board.board_notes import on_gathering, on_rows
from libra.ranking.board.board_proto import present
from libra.ranking.board.cell_selection import Entry, Selection, ambiguous, choose
from libra.ranking.board.scores import EITHER, Basis, Judge
from libra.ranking.queries.sample_sums_loader import SampleSumsLoader
from libra.store.cells import Cell
from libra.store.client import Store
from libra.store.runs import RUNNING, RunRecord, RunSection
from libra.v1.calibration_pb2 import Calibration
from libra.v1.ranking_pb2 import Board, CapabilityChoice, GetBoardResponse

MAX_RUNS = 500
"""That a board can be asked for by name."""

WAIT_SECONDS = 2.0
"""For sums by sample; see Settings.gather_seconds."""


@dataclass(frozen=True, slots=True)
class BoardQuery:
    """How a board is to be made; see GetBoardRequest."""

    models: Sequence[str] = ()
    choice: int = EITHER
    correct: bool = False


ALL = BoardQuery()
"""Every model, and nothing chosen."""


@dataclass(frozen=True, slots=True)
class BoardInputs:
    """What a board stands on."""

    selection: Selection
    changes: int
    """Verdicts, and changes of the runs."""

    stamp: int
    """When an imported figure or a calibration was last put."""

    runs: Mapping[str, int] = field(default_factory=dict)
    """The revisions of all finished runs, where it stands on these."""

    moving: frozenset[str] = frozenset()
    """Runs whose cells may still grow."""

    def still(self, entry: Entry) -> bool:
        """Tell whether the entry's cell stays as it is."""
        return entry.cell.run not in self.moving or entry.cell.total >= entry.trials


@dataclass(frozen=True, slots=True)
class _Made:
    """A board in its answer: to put some thousand cells into one takes longer than to write it out."""

    answer: GetBoardResponse
    pending: int
    """Cells whose sums by sample it is made without, for now."""


class Boards:
    """Makes boards. The one of all finished runs is made anew only when one more has finished: its cells stand still.

    `completed` is called when what a board was made without has been gathered.
    """

    def __init__(
        self, store: Store, completed: Callable[[], None] = lambda: None, wait_seconds: float = WAIT_SECONDS
    ) -> None:
        self._store = store
        self._gatherer = SampleSumsLoader(store.sample_sums, wait_seconds, completed)
        self._finished: BoardInputs | None = None
        self._made: dict[BoardQuery, _Made] = {}
        self._reading = asyncio.Lock()

    async def read(self) -> Board:
        """Return the board of all runs that are finished.

        The revision is derived, so that every replica gives the same one: each verdict, each change of a run that the board
        takes in, each import and each calibration raises it. So does the last of the sums by sample that it was made without.
        """
        return (await self.answer()).board

    async def answer(self, runs: Sequence[str] = (), want: BoardQuery = ALL) -> GetBoardResponse:
        """Return the board of these runs, finished or not; without any, what `read` returns. It is in the answer to a call.

        `want.models` chooses among the rows; no score depends on it. NotFound for a run, Invalid for a capability that is none of
        the contract's.
        """
        if want.choice not in CapabilityChoice.values():
            raise Invalid(
                f"{want.choice} is no choice of capability: 0 is either, 1 tasks, 2 imported", field="capability"
            )
        if runs:
            return (await self._make(await self._named(runs), want)).answer
        # One at a time: when a run has finished, everyone who watches asks at once.
        async with self._reading:
            ground = await self._of_finished()
            made = self._made.get(want)
            if made is None or (made.pending and not self._gatherer.busy):
                made = await self._make(ground, want)
                if not want.models:
                    self._made[want] = made
            return made.answer

    async def select(self, runs: Sequence[str] = ()) -> Selection:
        """Return the cells that the board of these runs stands on; without any, of all that are finished."""
        if runs:
            return (await self._named(runs)).selection
        async with self._reading:
            return (await self._of_finished()).selection

    async def end_at(self, stop: asyncio.Event) -> None:
        """Let nothing go on in the background once `stop` is set."""
        await stop.wait()
        await self._gatherer.end()

    async def _of_finished(self) -> BoardInputs:
        stamp, runs = await asyncio.gather(self._stamp(), self._store.runs.get_finished_revisions())
        kept = self._finished
        if kept is None or kept.runs != runs or kept.stamp != stamp:
            cells = await self._store.cells.list_for_runs(list(runs))
            selection = await self._choose([Entry(cell, cell.total) for cell in cells])
            changes = sum(runs.values()) + sum(cell.total for cell in cells)
            self._finished, self._made = BoardInputs(selection, changes, stamp, runs), {}
            return self._finished
        return kept

    async def _named(self, runs: Sequence[str]) -> BoardInputs:
        if len(runs) > MAX_RUNS:
            raise Invalid(
                f"{len(runs)} runs are more than {MAX_RUNS}; name fewer, or none for all finished", field="runs"
            )
        stamp = await self._stamp()
        records = await asyncio.gather(*(self._record(run) for run in sorted(set(runs))))
        cells = await self._store.cells.list_for_runs([record.run.id for record in records])
        selection = await self._choose(expected(records, cells))
        changes = sum(record.run.revision for record in records) + sum(cell.total for cell in cells)
        moving = frozenset(record.run.id for record in records if record.run.state == RUNNING)
        return BoardInputs(selection, changes, stamp, moving=moving)

    async def _make(self, ground: BoardInputs, want: BoardQuery) -> _Made:
        entries = [entry for entry in ground.selection.entries if not want.models or entry.cell.model in want.models]
        gathered = await self._gatherer.sums([entry.cell for entry in entries if ground.still(entry)])
        figures, calibrations = await asyncio.gather(self._store.capabilities.list(), newest_calibrations(self._store))
        by_model = {figure.model: figure for figure in figures}
        basis = Basis(gathered.sums, by_model, calibrations, want.choice, want.correct)
        # In a thread: some thousand cells take a second, and what else this process does goes on meanwhile.
        answer = await asyncio.to_thread(_answer, entries, basis)
        board = answer.board
        unknown = sorted(set(want.models) - {entry.cell.model for entry in entries})
        board.notes.extend([*ground.selection.notes, *(f"{model} has no verdict in these runs" for model in unknown)])
        board.notes.extend(on_gathering(gathered, sum(not ground.still(entry) for entry in entries if entry.cell.n)))
        board.revision = 2 * (ground.changes + ground.stamp) - bool(gathered.pending)
        return _Made(answer, gathered.pending)

    async def _stamp(self) -> int:
        return sum(
            await asyncio.gather(self._store.capabilities.last_modified(), self._store.calibrations.last_modified())
        )

    async def _choose(self, entries: Sequence[Entry]) -> Selection:
        several = ambiguous(entries)
        return choose(entries, await self._store.tasks.get_import_times(several) if several else {})

    async def _record(self, run: str) -> RunRecord:
        record = await self._store.runs.get(run)
        if record is None:
            raise NotFound.run(run, field="runs")
        return record


async def newest_calibrations(store: Store) -> dict[Judge, Calibration]:
    """Return the last calibration of each version of each judge, whatever its labels."""
    found: dict[Judge, Calibration] = {}
    for calibration in await store.calibrations.list():
        judge = calibration.judge
        found.setdefault((judge.name, judge.version, judge.rubric_hash), calibration)
    return found


def _answer(entries: Sequence[Entry], basis: Basis) -> GetBoardResponse:
    made = rows(entries, basis)
    answer = GetBoardResponse()
    answer.board.rows.extend(present(row) for row in made)
    answer.board.notes.extend(on_rows(made, basis))
    answer.board.create_time.GetCurrentTime()
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
                entries.append(Entry(cell, max(section.trials, cell.total)))
    return entries + [Entry(cell, cell.total) for cell in found.values()]


def _empty(run: str, model: str, section: RunSection) -> Cell:
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
