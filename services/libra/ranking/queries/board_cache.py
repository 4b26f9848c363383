"""Answers GetBoard, and caches the boards of all finished runs: their cells do not change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from libra.core.errors import Invalid
from libra.ranking.board.cell_selection import CellSelection
from libra.ranking.queries.board_loader import DEFAULT_QUERY, BoardInputs, BoardLoader, BoardQuery, ComputedBoard
from libra.store.client import Store
from libra.v1.ranking_pb2 import Board, CapabilityChoice, GetBoardResponse

WAIT_SECONDS = 2.0
"""The time limit for sums by sample; see Settings.gather_seconds."""


class BoardCache:
    """Returns boards. The board of all finished runs is computed again only when another run has finished.

    Calls `on_completed` when the sums by sample that a board was computed without are known.
    """

    def __init__(
        self, store: Store, on_completed: Callable[[], None] = lambda: None, wait_seconds: float = WAIT_SECONDS
    ) -> None:
        self._loader = BoardLoader(store, on_completed, wait_seconds)
        self._finished: BoardInputs | None = None
        self._boards: dict[BoardQuery, ComputedBoard] = {}
        self._lock = asyncio.Lock()

    async def get_finished_board(self) -> Board:
        """Return the board of all finished runs.

        The revision is derived, so that every replica returns the same: each verdict, each change of one of its runs,
        each import and each calibration increases it. So do the last of the sums by sample that it was computed
        without.
        """
        return (await self.get_board()).board

    async def get_board(self, runs: Sequence[str] = (), query: BoardQuery = DEFAULT_QUERY) -> GetBoardResponse:
        """Return the board of these runs, finished or not; without any, of all finished runs.

        `query.models` selects rows; no score depends on it. Raises NotFound for an unknown run, and Invalid for an
        unknown choice of capability.
        """
        if query.capability_choice not in CapabilityChoice.values():
            raise Invalid(
                f"{query.capability_choice} is no choice of capability: 0 is either, 1 tasks, 2 imported",
                field="capability",
            )
        if runs:
            return (await self._loader.compute(await self._loader.load_named(runs), query)).response
        # One at a time: when a run has finished, every watcher asks at once.
        async with self._lock:
            inputs = await self._load_finished()
            cached = self._boards.get(query)
            if cached is None or (cached.pending and not self._loader.is_computing_sums):
                cached = await self._loader.compute(inputs, query)
                if not query.models:
                    self._boards[query] = cached
            return cached.response

    async def select_cells(self, runs: Sequence[str] = ()) -> CellSelection:
        """Return the cells of the board of these runs; without any, of all finished runs."""
        if runs:
            return (await self._loader.load_named(runs)).selection
        async with self._lock:
            return (await self._load_finished()).selection

    async def close_after(self, stop: asyncio.Event) -> None:
        """Stop the work in the background once `stop` is set."""
        await stop.wait()
        await self._loader.close()

    async def _load_finished(self) -> BoardInputs:
        """Return the inputs for all finished runs; clear the cache if they have changed."""
        inputs = await self._loader.load_finished(self._finished)
        if inputs is not self._finished:
            self._finished, self._boards = inputs, {}
        return inputs
