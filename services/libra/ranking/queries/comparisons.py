"""Read what a comparison of two models is made of."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from libra.errors import Invalid
from libra.ranking.board.cell_selection import Selection
from libra.ranking.comparison.comparison import of_scores, of_tasks, unchanged
from libra.ranking.comparison.pairing import Side, pairs
from libra.ranking.queries.entries import Entries
from libra.store.client import Store
from libra.v1.ranking_pb2 import Capability, CompareModelsRequest, CompareModelsResponse


class Comparisons:
    """Answers CompareModels from the store."""

    def __init__(self, store: Store) -> None:
        self._store, self._entries = store, Entries(store)

    async def compare(self, request: CompareModelsRequest) -> CompareModelsResponse:
        """Return the comparison; Invalid if nothing is compared with itself, NotFound for a run or a model without verdicts.

        What counts is chosen among the cells of these two alone: a third model, judged otherwise, changes nothing.
        """
        runs, other_runs = sorted(set(request.runs)), sorted(set(request.other_runs or request.runs))
        same_model = request.model == request.other
        if same_model and runs == other_runs:
            raise Invalid("a model is compared with another, or one run of it with another run", field="other_runs")
        if runs == other_runs:
            both = await self._entries.chosen(runs, {request.model: "model", request.other: "other"}, field="runs")
            one = other = both
        else:
            one = await self._entries.chosen(runs, {request.model: "model"}, field="runs")
            other = await self._entries.chosen(other_runs, {request.other: "other"}, field="other_runs")
        first, second = await self._side(one, request.model), await self._side(other, request.other)
        if same_model:
            first, second = _in_runs(first, runs), _in_runs(second, other_runs)
        figures = await self._figures(request.model), await self._figures(request.other)
        answer = await asyncio.to_thread(compared, first, second, figures, same_model=same_model)
        answer.notes.extend(dict.fromkeys([*one.notes, *other.notes]))
        return answer

    async def _side(self, selection: Selection, model: str) -> Side:
        entries = [entry for entry in selection.entries if entry.cell.model == model]
        sums = await self._store.sample_sums.get_or_compute([entry.cell for entry in entries])
        return Side(model, entries, sums)

    async def _figures(self, model: str) -> Capability | None:
        return next((each for each in await self._store.capabilities.list() if each.model == model), None)


def compared(
    one: Side, other: Side, figures: tuple[Capability | None, Capability | None], *, same_model: bool
) -> CompareModelsResponse:
    """Return the comparison of two sides."""
    found, notes = pairs(one, other)
    answer = CompareModelsResponse(
        summary=of_scores(found, figures, same_model=same_model), tasks=of_tasks(found), notes=notes
    )
    if not any(comparison.what == "overall" for comparison in answer.summary):
        answer.notes.append(
            "Overall is not compared: the two share no safety task, or neither a capability task nor figures on one scale"
        )
    alone = [pair.label for pair in found if len(pair.one.ordinals) == 1]
    if alone:
        answer.notes.append(f"one sample tells nothing of how sure a score is: {', '.join(alone)}")
    if found and same_model and unchanged(found):
        answer.notes.append(
            "every sample has the same score in both: unless a run is fresh, its answers are the stored ones"
        )
    return answer


def _in_runs(side: Side, runs: Sequence[str]) -> Side:
    return Side(f"{side.name} in {', '.join(runs) or 'the newest runs'}", side.entries, side.sums)
