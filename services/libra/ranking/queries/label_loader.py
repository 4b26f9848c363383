"""Loads the labels that people gave to the answers of cells."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from libra.ranking.board.cell_labels import CellLabels
from libra.ranking.labels.label_draw import draw_size
from libra.ranking.verdicts.verdict_pages import read_cell_pages
from libra.statistics.prediction_powered import LabelledTrials
from libra.statistics.score import TrialsBySample
from libra.store.client import Store
from libra.store.documents.trial_ids import parse_verdict_id
from libra.store.sums.cells import Cell, CellKey
from libra.v1.label_pb2 import Label
from libra.v1.verdict_pb2 import Outcome

MAX_CONCURRENT_READS = 8


async def load_cell_labels(store: Store, cells: Sequence[Cell]) -> dict[CellKey, CellLabels]:
    """Return the labels of the cells that have any. Of the verdicts, those that are FILTERED are read one by one."""
    by_cell = group_labels(await store.labels.list_for_runs(cell.run for cell in cells))
    labelled = [cell for cell in cells if cell.key in by_cell]
    limit = asyncio.Semaphore(MAX_CONCURRENT_READS)
    filtered = await asyncio.gather(*(_load_filtered(store, cell, limit) for cell in labelled))
    return {
        cell.key: to_cell_labels(cell, by_cell[cell.key], trials)
        for cell, trials in zip(labelled, filtered, strict=True)
    }


def group_labels(labels: Iterable[Label]) -> Mapping[CellKey, list[Label]]:
    """Return the labels by cell."""
    by_cell: defaultdict[CellKey, list[Label]] = defaultdict(list)
    for label in labels:
        trial = parse_verdict_id(label.trial)
        by_cell[trial.run, trial.model, trial.task, trial.attack].append(label)
    return by_cell


def to_cell_labels(cell: Cell, labels: Sequence[Label], filtered: TrialsBySample) -> CellLabels:
    """Return the labels of a cell; those with an inclusion probability were drawn at random.

    Draws of several sizes are one sample, since a larger draw contains the smaller ones.
    """
    drawn = [label for label in labels if label.inclusion_probability]
    trials = LabelledTrials(
        [parse_verdict_id(label.trial).sample for label in drawn],
        [label.judged_score for label in drawn],
        [label.score for label in drawn],
    )
    largest = max((label.inclusion_probability for label in drawn), default=0.0)
    return CellLabels(trials, draw_size(largest, cell.scored), len(labels) - len(drawn), filtered)


async def _load_filtered(store: Store, cell: Cell, limit: asyncio.Semaphore) -> TrialsBySample:
    counts: Counter[int] = Counter()
    sums: defaultdict[int, float] = defaultdict(float)
    if cell.filtered:
        async with limit:
            async for page in read_cell_pages(store, cell, outcome=Outcome.OUTCOME_FILTERED):
                for verdict in page:
                    counts[verdict.sample] += 1
                    sums[verdict.sample] += verdict.score
    ordinals = sorted(counts)
    return TrialsBySample(cell.task, ordinals, [counts[each] for each in ordinals], [sums[each] for each in ordinals])
