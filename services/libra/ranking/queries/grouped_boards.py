"""Answers GetGroupedBoard: loads cells, their sums by sample, and one field of the samples."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from libra.core.errors import Invalid, unknown
from libra.core.outcome_names import outcome_name
from libra.ranking.board.board import build_rows
from libra.ranking.board.board_notes import row_notes, unknown_model_notes
from libra.ranking.board.board_proto import row_to_proto
from libra.ranking.board.cell_selection import BoardCell
from libra.ranking.board.grouping import (
    LANGUAGE,
    RISK,
    CellGroup,
    OrdinalOutcomes,
    SampleValues,
    find_common_value,
    group_cells,
    reads_samples,
)
from libra.ranking.board.scores import ScoreInputs
from libra.ranking.queries.board_cache import BoardCache
from libra.ranking.queries.board_loader import load_newest_calibrations
from libra.ranking.queries.verdict_pages import read_cell_pages
from libra.store.cells import Cell, CellKey
from libra.store.client import Store
from libra.store.sample_sums import SampleSums
from libra.v1.ranking_pb2 import Board, BoardGroup, GetGroupedBoardRequest, GetGroupedBoardResponse
from libra.v1.verdict_pb2 import Outcome

MAX_GROUPS = 100
MAX_CONCURRENT_READS = 8
UNSCORED_OUTCOMES = (Outcome.OUTCOME_FILTERED, Outcome.OUTCOME_UNJUDGED, Outcome.OUTCOME_FAILED)
"""The outcomes whose verdicts are read one by one: nearly all trials are scored."""


class GroupedBoardReader:
    """Answers GetGroupedBoard from the store."""

    def __init__(self, store: Store, boards: BoardCache) -> None:
        self._store, self._boards = store, boards
        self._limit = asyncio.Semaphore(MAX_CONCURRENT_READS)

    async def get_grouped_board(self, request: GetGroupedBoardRequest) -> GetGroupedBoardResponse:
        """Return the boards in order of value. Raises Invalid if no sample has the field, and NotFound for a run.

        A group's board shows only its own samples: it has no imported capability.
        """
        if not request.by:
            raise Invalid("name what to group by: language, risk, or a field of the samples", field="by")
        selection = await self._boards.select_cells(request.runs)
        board_cells = [each for each in selection.cells if not request.models or each.cell.model in request.models]
        sample_sums = await self._store.sample_sums.get_or_compute([each.cell for each in board_cells])
        outcomes = await self._load_outcomes(board_cells) if reads_samples(request.by) else {}
        values = await self._load_values(request.by, board_cells, _judged_ordinals(board_cells, sample_sums, outcomes))
        divided = [each for each in board_cells if find_common_value(request.by, each, values[each.cell.task]) is None]
        groups = await asyncio.to_thread(group_cells, request.by, board_cells, values, sample_sums, outcomes)
        notes = [*selection.notes, *_write_notes(board_cells, divided, sample_sums, groups)]
        notes += unknown_model_notes(request.models, (each.cell.model for each in board_cells))
        calibrations = await load_newest_calibrations(self._store) if request.correct_judges else {}
        inputs = ScoreInputs(calibrations=calibrations, correct_judges=request.correct_judges)
        return GetGroupedBoardResponse(groups=await asyncio.to_thread(_build_boards, groups, inputs), notes=notes)

    async def _load_values(
        self, field: str, board_cells: Sequence[BoardCell], ordinals: Mapping[str, set[int]]
    ) -> dict[str, SampleValues]:
        """Return the values of each task's samples with these ordinals."""
        tasks = sorted({each.cell.task for each in board_cells})
        found = await asyncio.gather(*(self._load_task_values(field, task, sorted(ordinals[task])) for task in tasks))
        if tasks and field not in (LANGUAGE, RISK) and not any(each.by_ordinal for each in found):
            raise Invalid(unknown("field of the samples", field, await self._list_fields(tasks)), field="by")
        return dict(zip(tasks, found, strict=True))

    async def _load_task_values(self, field: str, task: str, ordinals: Sequence[int]) -> SampleValues:
        async with self._limit:
            card = await self._store.tasks.get(task)
            if card is None or not reads_samples(field):
                return SampleValues(card)
            return SampleValues(card, await self._store.tasks.get_field_values(task, ordinals, field))

    async def _list_fields(self, tasks: Iterable[str]) -> list[str]:
        """Return the fields of the first samples of the tasks."""
        fields = {LANGUAGE, RISK}
        for task in tasks:
            if await self._store.tasks.get(task):
                for sample in await self._store.tasks.list_samples(task, limit=10):
                    fields.update(sample.fields)
        return sorted(fields)

    async def _load_outcomes(self, board_cells: Sequence[BoardCell]) -> dict[CellKey, OrdinalOutcomes]:
        """Return the outcomes of the trials that were not scored, for the cells that have any."""
        cells = [each.cell for each in board_cells if each.cell.scored < each.cell.total]
        found = await asyncio.gather(*(self._load_cell_outcomes(cell) for cell in cells))
        return {cell.key: outcomes for cell, outcomes in zip(cells, found, strict=True)}

    async def _load_cell_outcomes(self, cell: Cell) -> OrdinalOutcomes:
        by_ordinal: defaultdict[int, Counter[str]] = defaultdict(Counter)
        async with self._limit:
            for outcome in UNSCORED_OUTCOMES:
                name = outcome_name(outcome)
                if not getattr(cell, name):
                    continue
                async for page in read_cell_pages(self._store, cell, outcome=outcome, brief=True):
                    for verdict in page:
                        by_ordinal[verdict.sample][name] += 1
        return by_ordinal


def _judged_ordinals(
    board_cells: Iterable[BoardCell],
    sample_sums: Mapping[CellKey, SampleSums],
    outcomes: Mapping[CellKey, OrdinalOutcomes],
) -> dict[str, set[int]]:
    """Return the ordinals of each task's samples that have a verdict."""
    ordinals: defaultdict[str, set[int]] = defaultdict(set)
    for board_cell in board_cells:
        cell = board_cell.cell
        ordinals[cell.task].update(outcomes.get(cell.key, ()))
        if cell.key in sample_sums:
            ordinals[cell.task].update(sample_sums[cell.key].ordinals)
    return ordinals


def _write_notes(
    board_cells: Sequence[BoardCell],
    divided: Iterable[BoardCell],
    sample_sums: Mapping[CellKey, SampleSums],
    groups: Mapping[str, CellGroup],
) -> list[str]:
    notes = []
    if len(groups) > MAX_GROUPS:
        notes.append(f"of {len(groups):,} values, these are the {MAX_GROUPS} with the most trials")
    left_out = {each.task_name for each in divided if each.cell.n and each.cell.key not in sample_sums}
    if left_out:
        tasks = ", ".join(sorted(left_out))
        notes.append(f"left out, since their verdicts were deleted or are still being written: {tasks}")
    waiting = sum(each.expected_trials - each.cell.total for each in board_cells)
    if waiting:
        notes.append(f"{waiting:,} trials have no verdict yet, and are in no group")
    return notes


def _build_boards(groups: Mapping[str, CellGroup], inputs: ScoreInputs) -> list[BoardGroup]:
    """Return the boards of the largest groups in order of value; the groups share `inputs`."""
    largest = sorted(groups, key=lambda value: (-groups[value].trials, value))[:MAX_GROUPS]
    return [_build_board(value, groups[value], inputs) for value in sorted(largest)]


def _build_board(value: str, group: CellGroup, shared_inputs: ScoreInputs) -> BoardGroup:
    inputs = replace(shared_inputs, sample_sums=group.sample_sums)
    rows = build_rows(group.cells, inputs)
    board = Board(rows=[row_to_proto(row) for row in rows], notes=row_notes(rows, inputs))
    board.create_time.GetCurrentTime()
    return BoardGroup(value=value, board=board)
