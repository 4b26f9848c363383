"""Loads the inputs of a board and computes it. Of the verdicts it reads only the sums by sample, and those once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from libra.ranking.board.board import build_rows
from libra.ranking.board.board_notes import row_notes, sample_sums_notes, unknown_model_notes
from libra.ranking.board.board_proto import row_to_proto
from libra.ranking.board.cell_selection import BoardCell, CellSelection
from libra.ranking.board.scores import ANY_CAPABILITY, ScoreInputs
from libra.ranking.queries.cell_loader import CellLoader
from libra.ranking.queries.sample_sums_loader import SampleSumsLoader
from libra.store.cells import JudgeKey
from libra.store.client import Store
from libra.store.runs import RUNNING
from libra.v1.calibration_pb2 import Calibration
from libra.v1.ranking_pb2 import GetBoardResponse


@dataclass(frozen=True, slots=True)
class BoardQuery:
    """The options of a board; see GetBoardRequest."""

    models: Sequence[str] = ()
    capability_choice: int = ANY_CAPABILITY
    correct_judges: bool = False


DEFAULT_QUERY = BoardQuery()
"""Every model, with the default options."""


@dataclass(frozen=True, slots=True)
class BoardInputs:
    """The cells of a board, and the revisions of its inputs."""

    selection: CellSelection
    changes: int
    """The number of verdicts, plus the number of changes of the runs."""

    figures_revision: int
    """It increases with every import of capability figures and every calibration."""

    finished_runs: Mapping[str, int] = field(default_factory=dict)
    """The revisions of all finished runs, for the board of these."""

    unfinished_runs: frozenset[str] = frozenset()
    """Runs whose cells may still grow."""

    def is_final(self, board_cell: BoardCell) -> bool:
        """Return whether the cell does not change any more."""
        is_complete = board_cell.cell.total >= board_cell.expected_trials
        return is_complete or board_cell.cell.run not in self.unfinished_runs


@dataclass(frozen=True, slots=True)
class ComputedBoard:
    """A board as a response: to put some thousand cells into a response takes longer than to send it."""

    response: GetBoardResponse
    pending: int
    """Cells that were computed without their sums by sample for now."""


class BoardLoader:
    """Loads the inputs of boards from the store, and computes boards from them.

    Calls `on_completed` when the sums by sample that a board was computed without are known.
    """

    def __init__(self, store: Store, on_completed: Callable[[], None], wait_seconds: float) -> None:
        self._store = store
        self._cells = CellLoader(store)
        self._sample_sums = SampleSumsLoader(store.sample_sums, wait_seconds, on_completed)

    @property
    def is_computing_sums(self) -> bool:
        """Whether sums by sample are being computed in the background."""
        return self._sample_sums.is_computing

    async def close(self) -> None:
        """Stop the work in the background."""
        await self._sample_sums.close()

    async def load_finished(self, known: BoardInputs | None = None) -> BoardInputs:
        """Return the inputs for all finished runs: the object `known` if nothing has changed since it was loaded."""
        figures_revision, runs = await asyncio.gather(
            self._figures_revision(), self._store.runs.get_finished_revisions()
        )
        if known is not None and known.finished_runs == runs and known.figures_revision == figures_revision:
            return known
        board_cells = await self._cells.load_finished_cells(runs)
        changes = sum(runs.values()) + sum(each.cell.total for each in board_cells)
        return BoardInputs(await self._cells.select(board_cells), changes, figures_revision, runs)

    async def load_named(self, runs: Sequence[str]) -> BoardInputs:
        """Return the inputs for these runs. Raises Invalid for too many, and NotFound for an unknown one."""
        figures_revision = await self._figures_revision()
        records = await self._cells.load_runs(runs, field="runs")
        board_cells = await self._cells.load_cells(records)
        changes = sum(record.run.revision for record in records) + sum(each.cell.total for each in board_cells)
        unfinished = frozenset(record.run.id for record in records if record.run.state == RUNNING)
        selection = await self._cells.select(board_cells)
        return BoardInputs(selection, changes, figures_revision, unfinished_runs=unfinished)

    async def compute(self, inputs: BoardInputs, query: BoardQuery) -> ComputedBoard:
        """Return the board."""
        selected = inputs.selection.cells
        board_cells = [each for each in selected if not query.models or each.cell.model in query.models]
        loaded = await self._sample_sums.load([each.cell for each in board_cells if inputs.is_final(each)])
        figures, calibrations = await asyncio.gather(
            self._store.capabilities.list(), load_newest_calibrations(self._store)
        )
        by_model = {figure.model: figure for figure in figures}
        score_inputs = ScoreInputs(loaded.sums, by_model, calibrations, query.capability_choice, query.correct_judges)
        # In a thread: some thousand cells take a second, and the other work of the process continues meanwhile.
        response = await asyncio.to_thread(_build_response, board_cells, score_inputs)
        board = response.board
        board.notes.extend(inputs.selection.notes)
        board.notes.extend(unknown_model_notes(query.models, (each.cell.model for each in board_cells)))
        growing = sum(not inputs.is_final(each) for each in board_cells if each.cell.n)
        board.notes.extend(sample_sums_notes(pending=loaded.pending, absent=loaded.absent, growing=growing))
        board.revision = 2 * (inputs.changes + inputs.figures_revision) - bool(loaded.pending)
        return ComputedBoard(response, loaded.pending)

    async def _figures_revision(self) -> int:
        return sum(
            await asyncio.gather(self._store.capabilities.last_modified(), self._store.calibrations.last_modified())
        )


async def load_newest_calibrations(store: Store) -> dict[JudgeKey, Calibration]:
    """Return the newest calibration of each version of each judge, with any labels."""
    newest: dict[JudgeKey, Calibration] = {}
    for calibration in await store.calibrations.list():
        judge = calibration.judge
        newest.setdefault((judge.name, judge.version, judge.rubric_hash), calibration)
    return newest


def _build_response(board_cells: Sequence[BoardCell], inputs: ScoreInputs) -> GetBoardResponse:
    rows = build_rows(board_cells, inputs)
    response = GetBoardResponse()
    response.board.rows.extend(row_to_proto(row) for row in rows)
    response.board.notes.extend(row_notes(rows, inputs))
    response.board.create_time.GetCurrentTime()
    return response
