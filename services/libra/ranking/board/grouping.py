"""Divides the cells of a board by a property of their samples: a language, a risk, a taxonomy's tag, or any field."""

from __future__ import annotations

import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from libra.core.attack_names import JOIN
from libra.core.response_names import COUNTED_RESPONSES
from libra.core.taxonomy.releases import TAXONOMY_NAMES
from libra.core.taxonomy.tags import tags_of_attack
from libra.ranking.board.cell_selection import BoardCell
from libra.ranking.board.scores import has_binary_scores
from libra.store.sums.cell_sums import RESPONSE_COUNTS
from libra.store.sums.cells import Cell, CellKey
from libra.store.sums.label_sums import LabelSums
from libra.store.sums.sample_sums import SampleSums

LANGUAGE, RISK, RESPONSE = "language", "risk", "response"
TRANSLATION = re.compile(r"translation_([a-z]{2,3})")
MULTILINGUAL = "multilingual"
"""The attack that draws a language for each sample; its name does not say which."""

OrdinalOutcomes = Mapping[int, Mapping[str, int]]
"""By ordinal, the number of trials that are "filtered", "unjudged" or "failed". All others were scored."""


@dataclass(frozen=True, slots=True)
class SampleValues:
    """The values by which the samples of one task are grouped."""

    default: Sequence[str] = ("",)
    """The values of a sample that has none of its own; a sample with several values is in several groups."""

    by_ordinal: Mapping[int, Sequence[str]] = field(default_factory=dict)
    """The values of each sample that has its own."""

    default_reason: str = ""
    """Reason why there is no default value."""

    reasons: Mapping[int, str] = field(default_factory=dict)
    """Reason why a sample has no value, if it is not the default reason."""


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


def find_common_values(field_name: str, board_cell: BoardCell, values: SampleValues) -> Sequence[str] | None:
    """Return the values that all samples of a cell share; None if each has its own.

    The language of an attack's translation comes first: the model was asked in that language.
    """
    if field_name == LANGUAGE and (language := find_translation_language(board_cell.cell.attack)):
        return (language,)
    return None if values.by_ordinal else _with_attack(values.default, _attack_tags(field_name, board_cell.cell))


def _attack_tags(field_name: str, cell: Cell) -> Sequence[str]:
    """Return the tags that the attack adds to those of the samples, if the field is a taxonomy."""
    return tags_of_attack(field_name, cell.attack).ids if field_name in TAXONOMY_NAMES else ()


def _with_attack(values: Sequence[str], attack_tags: Sequence[str]) -> Sequence[str]:
    """Return the values with those of the attack; the empty value if there is none."""
    if not attack_tags:
        return values or ("",)
    return sorted({*(value for value in values if value), *attack_tags})


def find_translation_language(attack: str) -> str:
    """Return the language of the last translation among the attacks joined by "+"; empty if there is none."""
    found = ""
    for part in attack.split(JOIN):
        if part == MULTILINGUAL:
            found = f"drawn by {MULTILINGUAL}"
        elif translation := TRANSLATION.fullmatch(part):
            found = translation[1]
    return found


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
        common_values = find_common_values(field_name, board_cell, of_task)
        for value in common_values or ():
            groups[value].cells.append(board_cell)
            if key in sample_sums:
                groups[value].sample_sums[key] = sample_sums[key]
        if common_values is not None:
            continue
        of_cell = _add_tags(of_task, _attack_tags(field_name, board_cell.cell))
        parts = _divide(board_cell.cell, of_cell, sample_sums.get(key), outcomes.get(key, {}))
        for value, (part, part_sums) in parts.items():
            groups[value].cells.append(part)
            groups[value].sample_sums[key] = part_sums
    return dict(groups)


def _add_tags(values: SampleValues, attack_tags: Sequence[str]) -> SampleValues:
    """Return the values of samples with those of an attack."""
    by_ordinal = {ordinal: _with_attack(own, attack_tags) for ordinal, own in values.by_ordinal.items()}
    return SampleValues(_with_attack(values.default, attack_tags), by_ordinal)


def _divide(
    cell: Cell, values: SampleValues, sums: SampleSums | None, outcomes: OrdinalOutcomes
) -> dict[str, tuple[BoardCell, SampleSums]]:
    """Return the part of a cell for each value, with its sums."""
    sums = sums or SampleSums(array("i"), array("i"), array("d"))
    positions: defaultdict[str, list[int]] = defaultdict(list)
    for position, ordinal in enumerate(sums.ordinals):
        for value in values.by_ordinal.get(ordinal, values.default):
            positions[value].append(position)
    unscored: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for ordinal, counts in outcomes.items():
        for value in values.by_ordinal.get(ordinal, values.default):
            unscored[value].update(counts)
    parts = {value: sums.select(positions[value]) for value in {*positions, *unscored}}
    cells = {value: build_part(cell, part, unscored[value]) for value, part in parts.items()}
    return {value: (BoardCell(each, each.total), parts[value]) for value, each in cells.items()}


def count_untagged(
    taxonomy: str,
    board_cells: Iterable[BoardCell],
    values: Mapping[str, SampleValues],
    sample_sums: Mapping[CellKey, SampleSums],
    outcomes: Mapping[CellKey, OrdinalOutcomes],
) -> dict[str, Counter[str]]:
    """Return the trials without a tag by reason and task. The arguments are those of `group_cells`."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for board_cell in board_cells:
        cell, of_task = board_cell.cell, values[board_cell.cell.task]
        if _attack_tags(taxonomy, cell):
            continue
        if not of_task.by_ordinal:
            if not of_task.default:
                counts[of_task.default_reason][board_cell.task_name] += cell.total
            continue
        for ordinal, trials in _trials_by_ordinal(sample_sums.get(cell.key), outcomes.get(cell.key, {})):
            if not of_task.by_ordinal.get(ordinal, of_task.default):
                reason = of_task.reasons.get(ordinal, of_task.default_reason)
                counts[reason][board_cell.task_name] += trials
    return dict(counts)


def _trials_by_ordinal(sums: SampleSums | None, outcomes: OrdinalOutcomes) -> Iterator[tuple[int, int]]:
    """Yield ordinals with numbers of trials. A filtered trial is among the scored ones of its sample."""
    if sums is not None:
        yield from zip(sums.ordinals, sums.counts, strict=True)
    for ordinal, counts in outcomes.items():
        yield ordinal, counts.get("unjudged", 0) + counts.get("failed", 0)


def build_part(cell: Cell, sums: SampleSums, unscored: Counter[str], response: str = "") -> Cell:
    """Return the part of a cell that has these sums and these other outcomes.

    `response` is what came back in all its trials; "" if that is not known.
    """
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
        filtered_n=unscored["filtered"],
        filtered_sum=sum(sums.filtered_sums),
        labels=_sum_labels(sums),
    )
    counted: dict[str, Any] = dict.fromkeys(RESPONSE_COUNTS, 0)
    if response:
        counted["classified"] = part.total
    if name := COUNTED_RESPONSES.get(response):
        counted[name] = part.total
    return replace(part, **counted)


def _sum_labels(sums: SampleSums) -> dict[str, LabelSums]:
    """Return the sums by gold label; nothing without labels. `sums` has what they do not."""
    parts = sums.by_label() if sums.labels else {}
    return {label: LabelSums(sum(part.counts), sum(part.sums)) for label, part in parts.items()}
