"""Answers GetBoard, and caches the boards of all finished runs: their cells do not change."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from libra.core.access import team_scope
from libra.core.errors import Invalid
from libra.ranking.board.cell_selection import CellSelection
from libra.ranking.queries.board_loader import DEFAULT_QUERY, BoardInputs, BoardLoader, BoardQuery, ComputedBoard
from libra.ranking.queries.cell_loader import check_round
from libra.ranking.queries.coalescer import Coalescer
from libra.ranking.queries.row_cache import RowCache
from libra.rpc.encoded_reply import EncodedReply
from libra.store.client import Store
from libra.v1.ranking_pb2 import Board, CapabilityChoice, GetBoardResponse

WAIT_SECONDS = 2.0
"""The time limit for sums by sample; see Settings.gather_seconds."""


@dataclass(frozen=True, slots=True)
class BoardScope:
    """Selects the finished runs that a board is made of. Boards of two scopes share nothing."""

    round_name: str = ""
    """"" for the runs of no round."""

    team: str | None = None
    """The team that sees the runs; see `libra.core.access.team_scope`."""


class FinishedBoards:
    """The boards of one scope: each is computed again only when a run of the scope has finished."""

    def __init__(self, loader: BoardLoader, scope: BoardScope) -> None:
        self._loader, self._scope = loader, scope
        self._inputs: BoardInputs | None = None
        self._boards: dict[BoardQuery, ComputedBoard] = {}
        self._rows: defaultdict[BoardQuery, RowCache] = defaultdict(RowCache)
        self._locks: defaultdict[BoardQuery, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._loading = Coalescer(self._load_inputs)

    async def load_inputs(self) -> BoardInputs:
        """Return the inputs of every run that has finished before the call."""
        return await self._loading.call()

    async def get(self, query: BoardQuery) -> ComputedBoard:
        """Return the board of every run that has finished before the call."""
        inputs = await self.load_inputs()
        if query.models:
            return await self._loader.compute(inputs, query)
        # One at a time: when a run has finished, every watcher asks at once.
        async with self._locks[query]:
            inputs = self._inputs or inputs
            board = self._boards.get(query)
            if board is None or (board.pending and not self._loader.is_computing_sums):
                board = await self._loader.compute(inputs, query, self._rows[query])
                if inputs is self._inputs:
                    self._boards[query] = board
            return board

    async def _load_inputs(self) -> BoardInputs:
        """Load the inputs; forget the boards if they have changed."""
        known = self._inputs
        inputs = await self._loader.load_finished(self._scope.round_name, known)
        if inputs is not known:
            self._inputs, self._boards = inputs, {}
            if known is None or known.figures_revision != inputs.figures_revision:
                self._rows = defaultdict(RowCache)
        return inputs


class BoardCache:
    """Returns boards. The board of all finished runs is computed again only when another run has finished.

    Calls `on_completed` when the sums by sample that a board was computed without are known.
    """

    def __init__(
        self, store: Store, on_completed: Callable[[], None] = lambda: None, wait_seconds: float = WAIT_SECONDS
    ) -> None:
        self._loader = BoardLoader(store, on_completed, wait_seconds)
        self._store = store
        self._finished: dict[BoardScope, FinishedBoards] = {}

    async def get_finished_board(self) -> Board:
        """Return the board of all finished runs.

        The revision is derived, so that every replica returns the same: each verdict, each change of one of its runs,
        each import, each label and each calibration increases it. So do the last of the sums by sample that it was
        computed without.
        """
        return (await self.get_board()).board

    async def get_board(
        self, runs: Sequence[str] = (), query: BoardQuery = DEFAULT_QUERY, round_name: str = ""
    ) -> GetBoardResponse:
        """Return the board as `get_reply` does. The caller must not change it."""
        return (await self.get_reply(runs, query, round_name)).message

    async def get_reply(
        self, runs: Sequence[str] = (), query: BoardQuery = DEFAULT_QUERY, round_name: str = ""
    ) -> EncodedReply[GetBoardResponse]:
        """Return the board of these runs, finished or not; without any, of all finished runs of the round or of none.

        `query.models` selects rows; no score depends on it. Raises NotFound for an unknown run or round, and Invalid
        for an unknown choice of capability, for benchmark accuracies of corrected scores, and for runs with a round.
        """
        if query.capability_choice not in CapabilityChoice.values():
            raise Invalid(
                f"{query.capability_choice} is no choice of capability: 0 is either, 1 tasks, 2 imported",
                field="capability",
            )
        if query.benchmark_accuracy and (query.correct_judges or query.use_labels):
            raise Invalid(
                "benchmark accuracies are those of the judge's scores: leave corrections out",
                field="benchmark_accuracy",
            )
        await check_round(self._store, round_name, runs, what="a board")
        if runs:
            return (await self._loader.compute(await self._loader.load_named(runs), query)).reply
        return (await self._finished_boards(round_name).get(query)).reply

    async def select_cells(self, runs: Sequence[str] = (), round_name: str = "") -> CellSelection:
        """Return the cells of the board of these runs; without any, as in `get_board`."""
        await check_round(self._store, round_name, runs, what="a board")
        if runs:
            return (await self._loader.load_named(runs)).selection
        return (await self._finished_boards(round_name).load_inputs()).selection

    async def close_after(self, stop: asyncio.Event) -> None:
        """Stop the work in the background once `stop` is set."""
        await stop.wait()
        await self._loader.close()

    def _finished_boards(self, round_name: str = "") -> FinishedBoards:
        scope = BoardScope(round_name, team_scope.current())
        if scope not in self._finished:
            self._finished[scope] = FinishedBoards(self._loader, scope)
        return self._finished[scope]
