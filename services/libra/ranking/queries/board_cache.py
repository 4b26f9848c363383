"""Answers GetBoard, and caches the boards of all finished runs: their cells do not change."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence

from libra.core.access import team_scope
from libra.core.errors import Invalid, NotFound
from libra.ranking.board.cell_selection import CellSelection
from libra.ranking.queries.board_loader import DEFAULT_QUERY, BoardInputs, BoardLoader, BoardQuery, ComputedBoard
from libra.ranking.queries.row_cache import RowCache
from libra.store.client import Store
from libra.v1.ranking_pb2 import Board, CapabilityChoice, GetBoardResponse

MAX_ROUNDS = 500
"""Rounds among which the nearest names are looked for."""

BoardKey = tuple[str | None, str]
"""The team that sees the runs, and their round; "" for the runs of no round."""

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
        self._store = store
        self._finished: dict[BoardKey, BoardInputs] = {}
        self._boards: dict[BoardKey, dict[BoardQuery, ComputedBoard]] = {}
        self._rows: dict[BoardKey, defaultdict[BoardQuery, RowCache]] = {}
        self._lock = asyncio.Lock()

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
        await self._check_round(runs, round_name)
        if runs:
            return (await self._loader.compute(await self._loader.load_named(runs), query)).response
        # One at a time: when a run has finished, every watcher asks at once.
        async with self._lock:
            inputs = await self._load_finished(round_name)
            key = board_key(round_name)
            boards = self._boards[key]
            cached = boards.get(query)
            if cached is None or (cached.pending and not self._loader.is_computing_sums):
                is_whole = not query.models
                cached = await self._loader.compute(inputs, query, self._rows[key][query] if is_whole else None)
                if is_whole:
                    boards[query] = cached
            return cached.response

    async def select_cells(self, runs: Sequence[str] = (), round_name: str = "") -> CellSelection:
        """Return the cells of the board of these runs; without any, as in `get_board`."""
        await self._check_round(runs, round_name)
        if runs:
            return (await self._loader.load_named(runs)).selection
        async with self._lock:
            return (await self._load_finished(round_name)).selection

    async def close_after(self, stop: asyncio.Event) -> None:
        """Stop the work in the background once `stop` is set."""
        await stop.wait()
        await self._loader.close()

    async def _check_round(self, runs: Sequence[str], round_name: str) -> None:
        if round_name and runs:
            raise Invalid("a board is that of a round or that of named runs; give one of the two", field="round")
        if round_name and await self._store.rounds.get(round_name) is None:
            names = [record.name for record in await self._store.rounds.list(limit=MAX_ROUNDS)]
            raise NotFound.named("round", round_name, names, field="round")

    async def _load_finished(self, round_name: str) -> BoardInputs:
        """Return the inputs for all finished runs of a round or of none; clear its boards if they have changed."""
        key = board_key(round_name)
        known = self._finished.get(key)
        inputs = await self._loader.load_finished(round_name, known)
        if inputs is not known:
            self._finished[key], self._boards[key] = inputs, {}
            if known is None or known.figures_revision != inputs.figures_revision:
                self._rows[key] = defaultdict(RowCache)
        return inputs


def board_key(round_name: str) -> BoardKey:
    """Return the key of the finished runs of a round that this task sees: each team has boards of its own."""
    return team_scope.current(), round_name
