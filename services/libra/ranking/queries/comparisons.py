"""Answers CompareModels: loads both sides of a comparison of two models, or of two runs of one model."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from libra.core.errors import Invalid
from libra.ranking.board.cell_selection import CellSelection
from libra.ranking.comparison.comparison import compare_sides
from libra.ranking.comparison.pairing import ComparisonSide
from libra.ranking.queries.cell_loader import CellLoader, check_round
from libra.store.client import Store
from libra.v1.ranking_pb2 import Capability, CompareModelsRequest, CompareModelsResponse


@dataclass(frozen=True, slots=True)
class ComparedSides:
    """Both sides of a comparison."""

    one: ComparisonSide
    other: ComparisonSide
    notes: Sequence[str]
    """Sentences about cells that the selection leaves out."""


class ComparisonReader:
    """Answers CompareModels from the store."""

    def __init__(self, store: Store) -> None:
        self._store, self._cells = store, CellLoader(store)

    async def compare(self, request: CompareModelsRequest) -> CompareModelsResponse:
        """Return the comparison. Raises as `load_sides`."""
        sides = await self.load_sides(request)
        same_model = request.model == request.other
        figures = await self._find_figure(request.model), await self._find_figure(request.other)
        response = await asyncio.to_thread(compare_sides, sides.one, sides.other, figures, same_model=same_model)
        response.notes.extend(sides.notes)
        return response

    async def load_sides(self, request: CompareModelsRequest) -> ComparedSides:
        """Return both sides of a comparison.

        Raises Invalid if both sides are the same or a round is given with runs, and NotFound for an unknown run or
        round, or a model without verdicts. The cells are selected among those of the two models alone: a third model
        with another judge changes nothing.
        """
        await check_round(self._store, request.round, [*request.runs, *request.other_runs], what="a comparison")
        runs, other_runs = sorted(set(request.runs)), sorted(set(request.other_runs or request.runs))
        same_model = request.model == request.other
        if same_model and runs == other_runs:
            raise Invalid("a model is compared with another, or one run of it with another run", field="other_runs")
        if runs == other_runs:
            models = {request.model: "model", request.other: "other"}
            one = other = await self._cells.select_for_models(runs, models, field="runs", round_name=request.round)
        else:
            one = await self._cells.select_for_models(runs, {request.model: "model"}, field="runs")
            other = await self._cells.select_for_models(other_runs, {request.other: "other"}, field="other_runs")
        first, second = await self._load_side(one, request.model), await self._load_side(other, request.other)
        if same_model:
            first, second = _name_runs(first, runs), _name_runs(second, other_runs)
        return ComparedSides(first, second, list(dict.fromkeys([*one.notes, *other.notes])))

    async def _load_side(self, selection: CellSelection, model: str) -> ComparisonSide:
        board_cells = [each for each in selection.cells if each.cell.model == model]
        sample_sums = await self._store.sample_sums.get_or_compute([each.cell for each in board_cells])
        return ComparisonSide(model, board_cells, sample_sums)

    async def _find_figure(self, model: str) -> Capability | None:
        return next((figure for figure in await self._store.capabilities.list() if figure.model == model), None)


def _name_runs(side: ComparisonSide, runs: Sequence[str]) -> ComparisonSide:
    name = f"{side.name} in {', '.join(runs) or 'the newest runs'}"
    return ComparisonSide(name, side.board_cells, side.sample_sums)
