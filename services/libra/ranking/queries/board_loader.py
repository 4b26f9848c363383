"""Loads the inputs of a board and computes it. Of the verdicts it reads only the sums by sample, and those once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from libra.ranking.board.benchmark import benchmark_notes
from libra.ranking.board.board import compare_rows, group_by_model
from libra.ranking.board.board_notes import row_notes, sample_sums_notes, unknown_model_notes
from libra.ranking.board.board_proto import set_ranks
from libra.ranking.board.cell_selection import BoardCell, CellSelection, group_by_run
from libra.ranking.board.label_notes import label_notes
from libra.ranking.board.scores import ANY_CAPABILITY, ScoreInputs
from libra.ranking.board.task_notes import task_notes
from libra.ranking.queries.cell_loader import CellLoader
from libra.ranking.queries.label_loader import load_cell_labels
from libra.ranking.queries.row_cache import CachedRow, RowCache, compute_rows
from libra.ranking.queries.sample_sums_loader import SampleSumsLoader
from libra.rpc.encoded_reply import EncodedReply
from libra.store.client import Store
from libra.store.runs import RUNNING, STOPPED
from libra.store.sums.cells import JudgeKey
from libra.v1.calibration_pb2 import Calibration
from libra.v1.ranking_pb2 import GetBoardResponse


@dataclass(frozen=True, slots=True)
class BoardQuery:
    """The options of a board; see GetBoardRequest."""

    models: Sequence[str] = ()
    capability_choice: int = ANY_CAPABILITY
    correct_judges: bool = False
    use_labels: bool = False
    benchmark_accuracy: bool = False


DEFAULT_QUERY = BoardQuery()
"""Every model, with the default options."""


@dataclass(frozen=True, slots=True)
class BoardInputs:
    """The cells of a board, and the revisions of its inputs."""

    selection: CellSelection
    changes: int
    """The number of verdicts, plus the number of changes of the runs."""

    figures_revision: int
    """It increases with every import of capability figures or labels, and every calibration."""

    finished_runs: Mapping[str, int] = field(default_factory=dict)
    """The revisions of all finished runs, for the board of these."""

    finished_cells: Mapping[str, Sequence[BoardCell]] = field(default_factory=dict)
    """The cells of all finished runs, by run, for the board of these."""

    unfinished_runs: frozenset[str] = frozenset()
    """Runs whose cells may still grow."""

    def finished_cells_of(self, runs: Mapping[str, int]) -> Mapping[str, Sequence[BoardCell]]:
        """Return the cells of those of the runs whose revisions have not changed."""
        return {run: self.finished_cells[run] for run in runs if self.finished_runs.get(run) == runs[run]}

    def is_final(self, board_cell: BoardCell) -> bool:
        """Return whether the cell does not change any more."""
        is_complete = board_cell.cell.total >= board_cell.expected_trials
        return is_complete or board_cell.cell.run not in self.unfinished_runs


@dataclass(frozen=True, slots=True)
class ComputedBoard:
    """A board as a reply with its bytes: a board of some thousand cells has megabytes, and is sent many times."""

    reply: EncodedReply[GetBoardResponse]
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

    async def load_finished(self, round_name: str = "", known: BoardInputs | None = None) -> BoardInputs:
        """Return the inputs for all finished runs of a round, or of those of no round.

        Returns the object `known` if nothing has changed since it was loaded, and loads only cells of runs that it
        does not have: those of a finished run do not change.
        """
        revisions = await self._store.board_revisions.read(round_name)
        runs = revisions.runs
        if known is not None and known.finished_runs == runs and known.figures_revision == revisions.figures:
            return known
        kept = known.finished_cells_of(runs) if known else {}
        loaded = group_by_run(await self._cells.load_finished_cells(runs.keys() - kept.keys()))
        finished_cells = {run: kept[run] if run in kept else loaded.get(run, ()) for run in runs}
        board_cells = [each for cells in finished_cells.values() for each in cells]
        changes = sum(runs.values()) + sum(each.expected_trials for each in board_cells)  # a finished run has them all
        selection = await self._cells.select(board_cells)
        return BoardInputs(selection, changes, revisions.figures, runs, finished_cells)

    async def load_named(self, runs: Sequence[str]) -> BoardInputs:
        """Return the inputs for these runs. Raises Invalid for too many, and NotFound for an unknown one."""
        figures_revision = await self._figures_revision()
        records = await self._cells.load_runs(runs, field="runs")
        board_cells = await self._cells.load_cells(records)
        changes = sum(record.run.revision for record in records) + sum(each.cell.total for each in board_cells)
        unfinished = frozenset(record.run.id for record in records if record.run.state in {RUNNING, *STOPPED})
        selection = await self._cells.select(board_cells)
        return BoardInputs(selection, changes, figures_revision, unfinished_runs=unfinished)

    async def compute(self, inputs: BoardInputs, query: BoardQuery, cache: RowCache | None = None) -> ComputedBoard:
        """Return the board. Rows that the cache has are not computed again."""
        selected = inputs.selection.cells
        board_cells = [each for each in selected if not query.models or each.cell.model in query.models]
        groups = group_by_model(board_cells)
        cached = cache.find_current(groups) if cache else {}
        changed = {model: group for model, group in groups.items() if model not in cached}
        changed_cells = [each.cell for group in changed.values() for each in group if inputs.is_final(each)]
        loaded = await self._sample_sums.load(changed_cells)
        figures, calibrations, flagged = await asyncio.gather(
            self._store.capabilities.list(),
            load_newest_calibrations(self._store),
            self._store.tasks.list_flagged({each.cell.task for each in board_cells}),
        )
        by_model = {figure.model: figure for figure in figures}
        cells = [each.cell for group in changed.values() for each in group]
        score_inputs = ScoreInputs(
            loaded.sums,
            by_model,
            calibrations,
            query.capability_choice,
            query.correct_judges,
            await load_cell_labels(self._store, cells) if query.use_labels else {},
            query.use_labels,
            query.benchmark_accuracy,
        )
        # In a thread: some thousand cells take a second, and the other work of the process continues meanwhile.
        computed = await asyncio.to_thread(compute_rows, changed, score_inputs)
        if cache and not loaded.pending:
            cache.keep(computed)
        rows = [*cached.values(), *computed]
        response = await asyncio.to_thread(_build_response, rows, score_inputs)
        board = response.board
        board.notes.extend(task_notes(board_cells, flagged))
        board.notes.extend(note for row in sorted(rows, key=lambda each: each.row.model) for note in row.notes)
        board.notes.extend(inputs.selection.notes)
        board.notes.extend(unknown_model_notes(query.models, groups))
        growing = sum(not inputs.is_final(each) for each in board_cells if each.cell.n) if inputs.unfinished_runs else 0
        absent = loaded.absent + sum(row.absent for row in cached.values())
        board.notes.extend(sample_sums_notes(pending=loaded.pending, absent=absent, growing=growing))
        board.revision = 2 * (inputs.changes + inputs.figures_revision) - bool(loaded.pending)
        return ComputedBoard(await asyncio.to_thread(EncodedReply.of, response), loaded.pending)

    async def _figures_revision(self) -> int:
        return sum(
            await asyncio.gather(
                self._store.capabilities.last_modified(),
                self._store.calibrations.last_modified(),
                self._store.labels.last_modified(),
            )
        )


async def load_newest_calibrations(store: Store) -> dict[JudgeKey, Calibration]:
    """Return the newest calibration of each version of each judge, with any labels."""
    newest: dict[JudgeKey, Calibration] = {}
    for calibration in await store.calibrations.list():
        judge = calibration.judge
        newest.setdefault((judge.name, judge.version, judge.rubric_hash), calibration)
    return newest


def _build_response(cached: Sequence[CachedRow], inputs: ScoreInputs) -> GetBoardResponse:
    rows = compare_rows([each.row for each in cached], inputs)
    messages = {each.row.model: each.message for each in cached}
    response = GetBoardResponse()
    for row in rows:
        message = response.board.rows.add()
        message.CopyFrom(messages[row.model])
        set_ranks(message, row)
    response.board.notes.extend(row_notes(rows, inputs))
    if inputs.use_labels:
        response.board.notes.extend(label_notes(rows, inputs))
    if inputs.benchmark_accuracy:
        tasks = (task for row in rows for category in row.categories for task in category.tasks)
        response.board.notes.extend(benchmark_notes((task.label, task.benchmark) for task in tasks))
    response.board.create_time.GetCurrentTime()
    return response
