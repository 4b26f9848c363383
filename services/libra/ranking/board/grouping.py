"""Divides the cells of a board by a property of their samples: a language, a risk, or any field."""

from __future__ import annotations

import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from libra.core.attack_names import JOIN
from libra.ranking.board.cell_selection import BoardCell
from libra.ranking.board.scores import has_binary_scores
from libra.store.cells import Cell, CellKey
from libra.store.sample_sums import SampleSums
from libra.v1.task_pb2 import Task

LANGUAGE, RISK = "language", "risk"
TRANSLATION = re.compile(r"translation_([a-z]{2,3})")
MULTILINGUAL = "multilingual"
"""The attack that draws a language for each sample; its name does not say which."""

OrdinalOutcomes = Mapping[int, Mapping[str, int]]
"""By ordinal, the number of trials that are "filtered", "unjudged" or "failed". All others were scored."""


@dataclass(frozen=True, slots=True)
class SampleValues:
    """The values by which the samples of one task are grouped."""

    task: Task | None
    """The task's card; None if it was deleted."""

    by_ordinal: Mapping[int, str] = field(default_factory=dict)
    """The field of each sample that has it."""


@dataclass(slots=True)
class CellGroup:
    """The part of a board whose samples have one value."""

    cells: list[BoardCell] = field(default_factory=list)
    sample_sums: dict[CellKey, SampleSums] = field(default_factory=dict)

    @property
    def trials(self) -> int:
        """Trials of any outcome."""
        return sum(each.cell.total for each in self.cells)


def reads_samples(field_name: str) -> bool:
    """Return whether the samples have to be read to group by this field; a risk is on the card."""
    return field_name != RISK


def find_common_value(field_name: str, board_cell: BoardCell, values: SampleValues) -> str | None:
    """Return the value that all samples of a cell share; None if each has its own.

    The language of an attack's translation comes first: the model was asked in that language.
    """
    if field_name == RISK:
        return values.task.risk if values.task else ""
    if field_name == LANGUAGE and (language := find_translation_language(board_cell.cell.attack)):
        return language
    return None if values.by_ordinal else _default_value(field_name, values)


def find_translation_language(attack: str) -> str:
    """Return the language of the last translation among the attacks joined by "+"; empty if there is none."""
    found = ""
    for part in attack.split(JOIN):
        if part == MULTILINGUAL:
            found = f"drawn by {MULTILINGUAL}"
        elif translation := TRANSLATION.fullmatch(part):
            found = translation[1]
    return found


def _default_value(field_name: str, values: SampleValues) -> str:
    """Return the value of a sample without the field."""
    return ", ".join(values.task.languages) if field_name == LANGUAGE and values.task else ""


def group_cells(
    field_name: str,
    board_cells: Iterable[BoardCell],
    values: Mapping[str, SampleValues],
    sample_sums: Mapping[CellKey, SampleSums],
    outcomes: Mapping[CellKey, OrdinalOutcomes],
) -> dict[str, CellGroup]:
    """Return the groups by value. `values` is by "name@version".

    Scored trials are counted only if the cell's sums by sample are known. `outcomes` has the cells with trials that
    were not scored.
    """
    groups: defaultdict[str, CellGroup] = defaultdict(CellGroup)
    for board_cell in board_cells:
        key, of_task = board_cell.cell.key, values[board_cell.cell.task]
        common_value = find_common_value(field_name, board_cell, of_task)
        if common_value is not None:
            groups[common_value].cells.append(board_cell)
            if key in sample_sums:
                groups[common_value].sample_sums[key] = sample_sums[key]
            continue
        default = _default_value(field_name, of_task)
        parts = _divide(board_cell.cell, of_task, default, sample_sums.get(key), outcomes.get(key, {}))
        for value, (part, part_sums) in parts.items():
            groups[value].cells.append(part)
            groups[value].sample_sums[key] = part_sums
    return dict(groups)


def _divide(
    cell: Cell, values: SampleValues, default: str, sums: SampleSums | None, outcomes: OrdinalOutcomes
) -> dict[str, tuple[BoardCell, SampleSums]]:
    """Return the part of a cell for each value, with its sums."""
    sums = sums or SampleSums(array("i"), array("i"), array("d"))
    positions: defaultdict[str, list[int]] = defaultdict(list)
    for position, ordinal in enumerate(sums.ordinals):
        positions[values.by_ordinal.get(ordinal, default)].append(position)
    unscored: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for ordinal, counts in outcomes.items():
        unscored[values.by_ordinal.get(ordinal, default)].update(counts)
    parts = {value: sums.select(positions[value]) for value in {*positions, *unscored}}
    return {value: (_build_part(cell, part, unscored[value]), part) for value, part in parts.items()}


def _build_part(cell: Cell, sums: SampleSums, unscored: Counter[str]) -> BoardCell:
    """Return the part of a cell that has these sums and these other outcomes."""
    n, total = sum(sums.counts), sum(sums.sums)
    squares = total if has_binary_scores(cell) else sum(s * s / n for s, n in zip(sums.sums, sums.counts, strict=True))
    part = replace(
        cell,
        n=n,
        sum=total,
        sum_squares=squares,
        scored=n - unscored["filtered"],
        filtered=unscored["filtered"],
        unjudged=unscored["unjudged"],
        failed=unscored["failed"],
    )
    return BoardCell(part, part.total)
