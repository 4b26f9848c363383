"""Answers GetTradeoff: loads the cells of a board, their sums by sample, and the categories of attacked tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from libra.core.attack_names import PLAIN
from libra.ranking.board.board_notes import unknown_model_notes
from libra.ranking.board.cell_selection import BoardCell
from libra.ranking.board.response_notes import response_notes
from libra.ranking.board.scores import ScoreInputs
from libra.ranking.queries.board_cache import BoardCache
from libra.ranking.queries.board_loader import load_newest_calibrations
from libra.ranking.tradeoff.tradeoff import build_tradeoffs
from libra.store.client import Store
from libra.v1.ranking_pb2 import GetTradeoffRequest, GetTradeoffResponse


class TradeoffReader:
    """Answers GetTradeoff from the store."""

    def __init__(self, store: Store, boards: BoardCache) -> None:
        self._store, self._boards = store, boards

    async def get_tradeoff(self, request: GetTradeoffRequest) -> GetTradeoffResponse:
        """Return the trade-offs. Raises Invalid for too many runs, and NotFound for an unknown one."""
        selection = await self._boards.select_cells(request.runs, request.round)
        board_cells = [each for each in selection.cells if not request.models or each.cell.model in request.models]
        inputs = await self._load_inputs(board_cells, correct_judges=request.correct_judges)
        categories = await self._load_categories(board_cells)
        response = await asyncio.to_thread(build_tradeoffs, board_cells, inputs, categories)
        response.notes.extend(response_notes(each.cell for each in board_cells))
        response.notes.extend(selection.notes)
        response.notes.extend(unknown_model_notes(request.models, (each.cell.model for each in board_cells)))
        if waiting := sum(each.expected_trials - each.cell.total for each in board_cells):
            response.notes.append(f"{waiting:,} trials have no verdict yet")
        return response

    async def _load_inputs(self, board_cells: Sequence[BoardCell], *, correct_judges: bool) -> ScoreInputs:
        """Return the sums by sample, without trials whose prompt an attack left as it was, and the calibrations."""
        plain = [each.cell for each in board_cells if each.cell.attack == PLAIN]
        attacked = [each.cell for each in board_cells if each.cell.attack != PLAIN]
        sums, outcomes = await asyncio.gather(
            self._store.sample_sums.get_or_compute(plain), self._store.attack_outcomes.load(attacked)
        )
        sums |= {key: each.sums for key, each in outcomes.items()}
        calibrations = await load_newest_calibrations(self._store) if correct_judges else {}
        return ScoreInputs(sums, calibrations=calibrations, correct_judges=correct_judges)

    async def _load_categories(self, board_cells: Sequence[BoardCell]) -> dict[str, int]:
        """Return the category of each task under an attack: its cell counts as adversarial."""
        tasks = sorted({each.cell.task for each in board_cells if each.cell.attack != PLAIN})
        cards = await asyncio.gather(*map(self._store.tasks.get, tasks))
        return {task: card.category for task, card in zip(tasks, cards, strict=True) if card}
