"""Lay two models' cells beside each other, task by task, and say what cannot be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from libra.contracts.attacks import PLAIN, task_label
from libra.ranking.board.cell_selection import Entry
from libra.ranking.comparison.sample_overlap import section, shared
from libra.statistics.influence import Score, mean
from libra.store.cells import CellKey
from libra.store.sample_sums import SampleSums

NAMED = 8
"""Tasks that a note names; it counts the rest."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two that are compared."""

    name: str
    entries: Sequence[Entry]
    """One for each (task, attack)."""

    sums: Mapping[CellKey, SampleSums]


@dataclass(frozen=True, slots=True)
class Pair:
    """A task, plain or under an attack, on the samples that both have a score of: at least one."""

    label: str
    """ "task", or "task+attack"."""

    task: str
    """As "name@version"."""

    category: int
    one: SampleSums
    other: SampleSums
    """Of the same ordinals."""

    @property
    def scores(self) -> tuple[Score, Score]:
        """The mean of each."""
        one, other = mean(section(self.task, self.one)), mean(section(self.task, self.other))
        if one is None or other is None:
            raise ValueError(f"{self.label} has no trial that counts")
        return one, other

    @property
    def binary(self) -> bool:
        """Whether each sample has one trial on either side, and every score is 0 or 1."""
        return all(
            all(count == 1 for count in sums.counts) and all(score in (0.0, 1.0) for score in sums.sums)
            for sums in (self.one, self.other)
        )


def pairs(one: Side, other: Side) -> tuple[list[Pair], list[str]]:
    """Return what can be compared, in order of name and attack, and a sentence for whatever cannot."""
    mine, theirs = _by_place(one.entries), _by_place(other.entries)
    made: list[Pair] = []
    notes = [*_only(one.name, mine, theirs), *_only(other.name, theirs, mine)]
    for place in sorted(mine.keys() & theirs.keys(), key=_order):
        label = task_label(*place)
        found = _pair(label, (mine[place], one), (theirs[place], other))
        if isinstance(found, Pair):
            made.append(found)
        else:
            notes.append(f"{label} is not compared: {found}")
    return made, notes


Beside = tuple[Entry, Side]


def _pair(label: str, first: Beside, second: Beside) -> Pair | str:
    """Return the pair, or why there is none."""
    (one, side), (other, beside) = first, second
    if one.version != other.version:
        return f"{side.name} has it in the version {one.version}, {beside.name} in {other.version}"
    for entry, where in (first, second):
        if not entry.cell.n:
            return f"{where.name} has no score there"
        if entry.cell.key not in where.sums:
            return f"the verdicts of {where.name} are gone, or still coming in"
    if one.cell.judges != other.cell.judges:
        return f"{_judges(one)} judged {side.name}, {_judges(other)} judged {beside.name}; `libra rejudge` mends that"
    mine, theirs = shared(side.sums[one.cell.key], beside.sums[other.cell.key])
    if not mine.ordinals:
        return "the two have no sample in common; the same seed and number of samples choose the same"
    return Pair(label, one.cell.task, one.cell.category, mine, theirs)


def _by_place(entries: Sequence[Entry]) -> dict[tuple[str, str], Entry]:
    return {(entry.name, entry.cell.attack): entry for entry in entries}


def _only(name: str, mine: Mapping[tuple[str, str], Entry], theirs: Mapping[tuple[str, str], Entry]) -> list[str]:
    labels = [task_label(*place) for place in sorted(mine.keys() - theirs.keys(), key=_order)]
    if not labels:
        return []
    more = f" and {len(labels) - NAMED} more" if len(labels) > NAMED else ""
    return [f"only {name} has {', '.join(labels[:NAMED])}{more}"]


def _order(place: tuple[str, str]) -> tuple[str, bool, str]:
    """Return what places are sorted by: the plain prompt before the attacks on its task."""
    name, attack = place
    return name, attack != PLAIN, attack


def _judges(entry: Entry) -> str:
    return " and ".join(f"{name} {version}" for name, version, _ in entry.cell.judges)
