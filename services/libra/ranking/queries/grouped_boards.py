"""Answers GetGroupedBoard: loads cells, their sums by sample, and one field of the samples."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from libra.core.errors import Invalid
from libra.core.outcome_names import outcome_name
from libra.core.taxonomy.releases import TAXONOMY_NAMES, load_taxonomies
from libra.ranking.board.board import build_rows
from libra.ranking.board.board_notes import row_notes, shorten_list, unknown_model_notes
from libra.ranking.board.board_proto import row_to_proto
from libra.ranking.board.cell_selection import BoardCell
from libra.ranking.board.grouping import (
    RESPONSE,
    CellGroup,
    OrdinalOutcomes,
    count_untagged,
    find_common_values,
    group_cells,
    reads_samples,
)
from libra.ranking.board.response_notes import response_notes
from libra.ranking.board.scores import ScoreInputs
from libra.ranking.board.task_notes import task_notes
from libra.ranking.queries.board_cache import BoardCache
from libra.ranking.queries.board_loader import load_newest_calibrations
from libra.ranking.queries.response_groups import group_by_response
from libra.ranking.queries.sample_values import SampleValueLoader
from libra.ranking.verdicts.verdict_pages import read_cell_pages
from libra.store.client import Store
from libra.store.sums.cells import Cell, CellKey
from libra.store.sums.sample_sums import SampleSums
from libra.v1.ranking_pb2 import Board, BoardGroup, GetGroupedBoardRequest, GetGroupedBoardResponse
from libra.v1.verdict_pb2 import Outcome

MAX_GROUPS = 100
MAX_CONCURRENT_READS = 8
UNSCORED_OUTCOMES = (Outcome.OUTCOME_FILTERED, Outcome.OUTCOME_UNJUDGED, Outcome.OUTCOME_FAILED)
"""The outcomes whose verdicts are read one by one: nearly all trials are scored."""


@dataclass(frozen=True, slots=True)
class GroupedCells:
    """The cells of a board, by group."""

    groups: Mapping[str, CellGroup]
    divided: Sequence[BoardCell] = ()
    """The cells whose samples have different values."""

    notes: Sequence[str] = ()


class GroupedBoardReader:
    """Answers GetGroupedBoard from the store."""

    def __init__(self, store: Store, boards: BoardCache) -> None:
        self._store, self._boards = store, boards
        self._values = SampleValueLoader(store)
        self._limit = asyncio.Semaphore(MAX_CONCURRENT_READS)

    async def get_grouped_board(self, request: GetGroupedBoardRequest) -> GetGroupedBoardResponse:
        """Return the boards in order of value. Raises Invalid if no sample has the field, and NotFound for a run.

        A group's board shows only its own samples: it has no imported capability.
        """
        if not request.by:
            valid = f"language, risk, response, {', '.join(TAXONOMY_NAMES)}, or a field of the samples"
            raise Invalid(f"name what to group by: {valid}", field="by")
        selection = await self._boards.select_cells(request.runs, request.round)
        board_cells = [each for each in selection.cells if not request.models or each.cell.model in request.models]
        sample_sums = await self._store.sample_sums.get_or_compute([each.cell for each in board_cells])
        if request.by == RESPONSE:
            grouped = GroupedCells(await group_by_response(self._store, board_cells, sample_sums))
        else:
            grouped = await self._group_by_sample(request.by, board_cells, sample_sums)
        flagged = await self._store.tasks.list_flagged({each.cell.task for each in board_cells})
        notes = task_notes(board_cells, flagged)
        notes += [*response_notes(each.cell for each in board_cells), *selection.notes]
        notes += _write_notes(board_cells, grouped, sample_sums)
        notes += unknown_model_notes(request.models, (each.cell.model for each in board_cells))
        calibrations = await load_newest_calibrations(self._store) if request.correct_judges else {}
        inputs = ScoreInputs(calibrations=calibrations, correct_judges=request.correct_judges)
        groups = await asyncio.to_thread(_build_boards, grouped.groups, inputs)
        if request.by in TAXONOMY_NAMES:
            for group in groups:
                group.title = load_taxonomies()[request.by].entries.get(group.value, "")
        return GetGroupedBoardResponse(groups=groups, notes=notes)

    async def _group_by_sample(
        self, field: str, board_cells: Sequence[BoardCell], sample_sums: Mapping[CellKey, SampleSums]
    ) -> GroupedCells:
        outcomes = await self._load_outcomes(board_cells) if reads_samples(field) else {}
        values = await self._values.load(field, _judged_ordinals(board_cells, sample_sums, outcomes))
        divided = [each for each in board_cells if find_common_values(field, each, values[each.cell.task]) is None]
        groups = await asyncio.to_thread(group_cells, field, board_cells, values, sample_sums, outcomes)
        if field not in TAXONOMY_NAMES:
            return GroupedCells(groups, divided)
        untagged = count_untagged(field, board_cells, values, sample_sums, outcomes)
        return GroupedCells(groups, divided, list(_tag_notes(field, groups, board_cells, untagged)))

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
    board_cells: Sequence[BoardCell], grouped: GroupedCells, sample_sums: Mapping[CellKey, SampleSums]
) -> list[str]:
    notes = [*grouped.notes]
    if len(grouped.groups) > MAX_GROUPS:
        notes.append(f"of {len(grouped.groups):,} values, these are the {MAX_GROUPS} with the most trials")
    left_out = {each.task_name for each in grouped.divided if each.cell.n and each.cell.key not in sample_sums}
    if left_out:
        tasks = ", ".join(sorted(left_out))
        notes.append(f"left out, since their verdicts were deleted or are still being written: {tasks}")
    waiting = sum(each.expected_trials - each.cell.total for each in board_cells)
    if waiting:
        notes.append(f"{waiting:,} trials have no verdict yet, and are in no group")
    return notes


def _tag_notes(
    taxonomy: str,
    groups: Mapping[str, CellGroup],
    board_cells: Iterable[BoardCell],
    untagged: Mapping[str, Mapping[str, int]],
) -> Iterator[str]:
    """Yield the release, whether trials count more than once, and how many have no tag."""
    label = load_taxonomies()[taxonomy].label
    if any(groups):
        yield f"the groups are the entries of {label}"
    if sum(group.trials for group in groups.values()) > sum(each.cell.total for each in board_cells):
        yield "a trial with several tags counts in the group of each"
    for reason, tasks in sorted(untagged.items()):
        names = shorten_list(sorted(tasks))
        trials = sum(tasks.values())
        yield f"{trials:,} {'trial has' if trials == 1 else 'trials have'} no tag of {label} ({names}): {reason}"
    for value, group in sorted(groups.items()):
        single = {key[2].partition("@")[0] for key, sums in group.sample_sums.items() if len(sums.ordinals) == 1}
        if value and single:
            yield f"{value} has no interval where it has a single sample of a task: {shorten_list(sorted(single))}"


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
