"""Answers ReportContamination and ReportStability: loads the scores on the samples of rounds."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from libra.core.errors import Invalid, NotFound
from libra.ranking.board.cell_selection import BoardCell
from libra.ranking.queries.cell_loader import CellLoader
from libra.ranking.rounds.contamination_report import MeanPair, build_gaps, mean_over
from libra.ranking.rounds.stability_report import AnchorKey, build_stability
from libra.statistics.contamination import SampleMean
from libra.store.client import Store
from libra.store.rounds.round_samples import RoundSample
from libra.store.rounds.rounds import CLOSED, RoundRecord
from libra.store.sums.cells import CellKey
from libra.store.sums.sample_sums import SampleSums
from libra.v1.ranking_pb2 import (
    ReportContaminationRequest,
    ReportContaminationResponse,
    ReportStabilityRequest,
    ReportStabilityResponse,
)

MAX_ROUNDS = 500
Ordinals = Mapping[str, set[int]]
"""By the name of the task."""

SectionKey = tuple[str, str, str]
"""A model, a task's name and an attack."""


@dataclass(frozen=True, slots=True)
class LoadedCells:
    """Cells that count, with their sums by sample."""

    cells: Sequence[BoardCell]
    sums: Mapping[CellKey, SampleSums]


class RoundReportReader:
    """Answers from the store."""

    def __init__(self, store: Store) -> None:
        self._store, self._cells = store, CellLoader(store)

    async def report_contamination(self, request: ReportContaminationRequest) -> ReportContaminationResponse:
        """Return the gaps of the models with runs on a round and on published samples; NotFound for a round."""
        record = await self._find(request.round, "round")
        samples = await self._store.round_samples.list(record.name)
        fresh_ordinals = _by_task(each for each in samples if not each.anchor)
        fresh = await self._load(await self._cells_of_round(record.name))
        earlier = [
            each
            for each in await self._store.rounds.list(limit=MAX_ROUNDS)
            if each.state == CLOSED and each.open_time < record.open_time
        ]
        anchors = {each.content for each in samples if each.anchor}
        released = await self._load_released(earlier, anchors)
        pairs, notes = self._pair(fresh, fresh_ordinals, released)
        pairs = [pair for pair in pairs if not request.models or pair.model in request.models]
        if not pairs:
            notes.append(no_pairs(record, earlier))
        gaps = await asyncio.to_thread(build_gaps, pairs)
        return ReportContaminationResponse(
            gaps=gaps, notes=notes, released_rounds=[each.name for each in reversed(earlier)]
        )

    async def report_stability(self, request: ReportStabilityRequest) -> ReportStabilityResponse:
        """Return the comparison of two rounds on their anchors; NotFound for a round, Invalid without a comparison."""
        earlier, later = await self._find(request.earlier, "earlier"), await self._find(request.later, "later")
        if earlier.name == later.name:
            raise Invalid("a round is compared with another one", field="later")
        anchors = {each.content for each in await self._store.round_samples.list(later.name) if each.anchor}
        first = await self._anchor_scores(earlier, anchors)
        second = await self._anchor_scores(later, anchors)
        return await asyncio.to_thread(build_stability, earlier.name, later.name, first, second)

    async def _find(self, name: str, field: str) -> RoundRecord:
        record = await self._store.rounds.get(name)
        if record is None:
            names = [each.name for each in await self._store.rounds.list(limit=MAX_ROUNDS)]
            raise NotFound.named("round", name, names, field=field)
        return record

    async def _cells_of_round(self, name: str) -> list[BoardCell]:
        return await self._cells.load_finished_cells(await self._store.runs.get_finished_revisions(name))

    async def _load(self, board_cells: Sequence[BoardCell]) -> LoadedCells:
        selected = (await self._cells.select(board_cells)).cells
        return LoadedCells(selected, await self._store.sample_sums.get_or_compute([each.cell for each in selected]))

    async def _load_released(
        self, rounds: Sequence[RoundRecord], anchors: set[str]
    ) -> dict[str, tuple[LoadedCells, Ordinals]]:
        """Return by round the cells of runs on its samples, and the published samples that are no anchors now."""
        names = {record.name for record in rounds}
        cells: defaultdict[str, list[BoardCell]] = defaultdict(list)
        runs = await self._store.runs.get_finished_revisions()
        for board_cell in await self._cells.load_finished_cells(runs) if names else ():
            if board_cell.task_version in names:
                cells[board_cell.task_version].append(board_cell)
        loaded: dict[str, tuple[LoadedCells, Ordinals]] = {}
        for name, of_round in cells.items():
            samples = await self._store.round_samples.list(name)
            ordinals = _by_task(each for each in samples if each.released and each.content not in anchors)
            loaded[name] = (await self._load(of_round), ordinals)
        return loaded

    def _pair(
        self,
        fresh: LoadedCells,
        fresh_ordinals: Ordinals,
        released: Mapping[str, tuple[LoadedCells, Ordinals]],
    ) -> tuple[list[MeanPair], list[str]]:
        """Return the means of each model, task and attack that has both, and what cannot be compared."""
        published: defaultdict[SectionKey, list[tuple[BoardCell, SampleSums, set[int]]]] = defaultdict(list)
        for loaded, ordinals in released.values():
            for each in loaded.cells:
                if each.cell.key in loaded.sums:
                    part = (each, loaded.sums[each.cell.key], ordinals.get(each.task_name, set()))
                    published[_section(each)].append(part)
        pairs, notes = [], []
        for each in fresh.cells:
            judged = [part for part in published[_section(each)] if part[0].cell.judges == each.cell.judges]
            if len(judged) < len(published[_section(each)]):
                notes.append(
                    f"{each.cell.model} on {each.task_name}: scores of another version of the judge are left out"
                )
            new = self._mean(fresh, each, fresh_ordinals)
            old = mean_over([(sums, ordinals) for _, sums, ordinals in judged])
            if new and old:
                pairs.append(MeanPair(each.cell.model, each.task_name, each.cell.attack, old, new))
        return pairs, notes

    def _mean(self, loaded: LoadedCells, board_cell: BoardCell, ordinals: Ordinals) -> SampleMean | None:
        sums = loaded.sums.get(board_cell.cell.key)
        return mean_over([(sums, ordinals.get(board_cell.task_name, set()))]) if sums else None

    async def _anchor_scores(self, record: RoundRecord, anchors: set[str]) -> dict[str, dict[AnchorKey, float]]:
        """Return by model its mean score on each of the anchors, in the runs of a round."""
        samples = await self._store.round_samples.list(record.name)
        contents = {(each.task, each.ordinal): each.content for each in samples if each.content in anchors}
        loaded = await self._load(await self._cells_of_round(record.name))
        scores: defaultdict[str, dict[AnchorKey, float]] = defaultdict(dict)
        for each in loaded.cells:
            sums = loaded.sums.get(each.cell.key)
            for ordinal, count, total in zip(sums.ordinals, sums.counts, sums.sums, strict=True) if sums else ():
                if content := contents.get((each.task_name, ordinal)):
                    scores[each.cell.model][each.task_name, each.cell.attack, content] = total / count
        return dict(scores)


def no_pairs(record: RoundRecord, earlier: Sequence[RoundRecord]) -> str:
    """Return why there is nothing to compare, and what would change that."""
    if not earlier:
        return f"no round before {record.name} is closed, so no samples are published"
    task, closed = record.tasks[0].task, earlier[0].name
    return (
        f"no model has finished runs on the round {record.name} and on published samples of the same task; "
        f"`libra run create --model MODEL --task {task}@{closed}` runs those of {closed}"
    )


def _by_task(samples: Iterable[RoundSample]) -> dict[str, set[int]]:
    ordinals: defaultdict[str, set[int]] = defaultdict(set)
    for sample in samples:
        ordinals[sample.task].add(sample.ordinal)
    return dict(ordinals)


def _section(board_cell: BoardCell) -> SectionKey:
    return board_cell.cell.model, board_cell.task_name, board_cell.cell.attack
