"""Divides the cells of a board by what came back from the models: answered, truncated, blocked_input and so on."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence

from libra.core.response_names import ANSWERED, COUNTED_RESPONSES
from libra.ranking.board.cell_selection import BoardCell
from libra.ranking.board.grouping import CellGroup, build_part
from libra.store.client import Store
from libra.store.sums.cells import Cell, CellKey
from libra.store.sums.sample_sums import ResponseSums, SampleSums

MAX_CONCURRENT_AGGREGATIONS = 2


async def group_by_response(
    store: Store, board_cells: Sequence[BoardCell], sample_sums: Mapping[CellKey, SampleSums]
) -> dict[str, CellGroup]:
    """Return the groups by the name of the class. The verdicts of a cell with ordinary answers only are not read."""
    limit = asyncio.Semaphore(MAX_CONCURRENT_AGGREGATIONS)

    async def load(cell: Cell) -> dict[str, ResponseSums]:
        async with limit:
            return await store.sample_sums.sum_by_response(cell)

    mixed = [each.cell for each in board_cells if not has_only_answers(each.cell)]
    loaded = await asyncio.gather(*map(load, mixed))
    found = {cell.key: parts for cell, parts in zip(mixed, loaded, strict=True)}
    groups: defaultdict[str, CellGroup] = defaultdict(CellGroup)
    for board_cell in board_cells:
        key = board_cell.cell.key
        if key not in found:
            _add(groups[ANSWERED], board_cell, sample_sums.get(key))
        for response, part in found.get(key, {}).items():
            cell = build_part(board_cell.cell, part.sums, part.outcomes, response)
            _add(groups[response], BoardCell(cell, cell.total), part.sums)
    return dict(groups)


def has_only_answers(cell: Cell) -> bool:
    """Return whether every verdict of the cell is known to be on an ordinary answer."""
    counted = any(getattr(cell, name) for name in COUNTED_RESPONSES.values())
    return cell.classified == cell.total and not cell.failed and not counted


def _add(group: CellGroup, board_cell: BoardCell, sums: SampleSums | None) -> None:
    group.cells.append(board_cell)
    if sums is not None:
        group.sample_sums[board_cell.cell.key] = sums
