"""Take the cells of a board apart by what their samples have in common: a language, a risk, or a field of their own."""

from __future__ import annotations

import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from libra.contracts.attacks import JOIN
from libra.ranking.board.cell_selection import Entry
from libra.ranking.board.scores import all_or_nothing
from libra.store.cells import Cell, CellKey
from libra.store.sample_sums import SampleSums
from libra.v1.task_pb2 import Task

LANGUAGE, RISK = "language", "risk"
TRANSLATION = re.compile(r"translation_([a-z]{2,3})")
DRAWN = "multilingual"
"""The attack that draws a language for each sample; which one, its name does not tell."""

Outcomes = Mapping[int, Mapping[str, int]]
"""By ordinal, how many trials ended as "filtered", "unjudged" or "failed". All others were scored."""


@dataclass(frozen=True, slots=True)
class Values:
    """What the samples of one task are grouped by."""

    task: Task | None
    """Its card; None if it is gone."""

    by_ordinal: Mapping[int, str] = field(default_factory=dict)
    """The field of each sample that has it."""


@dataclass(slots=True)
class Group:
    """The part of a board whose samples have one value."""

    entries: list[Entry] = field(default_factory=list)
    sums: dict[CellKey, SampleSums] = field(default_factory=dict)

    @property
    def trials(self) -> int:
        """Trials of any outcome."""
        return sum(entry.cell.total for entry in self.entries)


def reads_samples(by: str) -> bool:
    """Tell whether samples have to be read; a risk is the card's to tell."""
    return by != RISK


def whole(by: str, entry: Entry, values: Values) -> str | None:
    """Return the one value of all samples of an entry; None if each has its own.

    A language is first what an attack translated the prompt into: that is what the model was asked in.
    """
    if by == RISK:
        return values.task.risk if values.task else ""
    if by == LANGUAGE and (spoken := translated(entry.cell.attack)):
        return spoken
    return None if values.by_ordinal else _otherwise(by, values)


def translated(attack: str) -> str:
    """Return the language that an attack, or the last of several joined by "+", puts a prompt in; empty if none does."""
    found = ""
    for part in attack.split(JOIN):
        if part == DRAWN:
            found = f"drawn by {DRAWN}"
        elif spoken := TRANSLATION.fullmatch(part):
            found = spoken[1]
    return found


def _otherwise(by: str, values: Values) -> str:
    """Return the value of a sample without the field."""
    return ", ".join(values.task.languages) if by == LANGUAGE and values.task else ""


def grouped(
    by: str,
    entries: Iterable[Entry],
    values: Mapping[str, Values],
    sums: Mapping[CellKey, SampleSums],
    outcomes: Mapping[CellKey, Outcomes],
) -> dict[str, Group]:
    """Return the groups by value. `values` is by "name@version"; a cell without its sums counts in no group of its own.

    `outcomes` holds, for cells that have others than scored trials, where these are.
    """
    groups: defaultdict[str, Group] = defaultdict(Group)
    for entry in entries:
        key, of_task = entry.cell.key, values[entry.cell.task]
        value = whole(by, entry, of_task)
        if value is not None:
            groups[value].entries.append(entry)
            if key in sums:
                groups[value].sums[key] = sums[key]
            continue
        for each, (part, cut) in _parts(by, entry, of_task, sums.get(key), outcomes.get(key, {})).items():
            groups[each].entries.append(part)
            groups[each].sums[key] = cut
    return dict(groups)


def _parts(
    by: str, entry: Entry, values: Values, sums: SampleSums | None, outcomes: Outcomes
) -> dict[str, tuple[Entry, SampleSums]]:
    """Return the part of an entry that each value has, with its sums."""
    sums = sums or SampleSums(array("i"), array("i"), array("d"))
    otherwise = _otherwise(by, values)
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, ordinal in enumerate(sums.ordinals):
        places[values.by_ordinal.get(ordinal, otherwise)].append(place)
    ends: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for ordinal, counts in outcomes.items():
        ends[values.by_ordinal.get(ordinal, otherwise)].update(counts)
    cuts = {value: _at(sums, places[value]) for value in {*places, *ends}}
    return {value: (_entry(entry.cell, cut, ends[value]), cut) for value, cut in cuts.items()}


def _at(sums: SampleSums, places: Sequence[int]) -> SampleSums:
    return SampleSums(
        array("i", [sums.ordinals[place] for place in places]),
        array("i", [sums.counts[place] for place in places]),
        array("d", [sums.sums[place] for place in places]),
    )


def _entry(cell: Cell, sums: SampleSums, ends: Counter[str]) -> Entry:
    """Return the part of a cell that has these sums, and these outcomes besides."""
    n, total = sum(sums.counts), sum(sums.sums)
    squares = total if all_or_nothing(cell) else sum(s * s / n for s, n in zip(sums.sums, sums.counts, strict=True))
    part = replace(
        cell,
        n=n,
        sum=total,
        sum_squares=squares,
        scored=n - ends["filtered"],
        filtered=ends["filtered"],
        unjudged=ends["unjudged"],
        failed=ends["failed"],
    )
    return Entry(part, part.total)
