"""The laws that hold over a run's verdicts, completions and cells, checked one fact at a time.

What is kept in memory grows with the run's sections, never with its verdicts.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from libra.store.cell_sums import COUNT_FIELDS, CellSums

ONE_VERDICT = "every trial has exactly one verdict, once its run is finished"
COMPLETIONS = "every verdict on an answer has its completion, and a FAILED one has none"
SUMS = "the cells equal the sums over the verdicts"
ONE_JUDGE = "each cell has been judged by one version of one judge"
LAWS = (ONE_VERDICT, COMPLETIONS, SUMS, ONE_JUDGE)

SHOWN = 100
"""Of the trials or cells that a finding is about, so many are named."""

RELATIVE = ABSOLUTE = 1e-9
"""Two sums of the same scores in another order differ by less: a million additions round off some 1e-10 of it."""

Place = tuple[str, str, str]
"""The model, the task as "name@version", and the attack."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One way in which a law does not hold."""

    law: str
    message: str
    concerned: tuple[str, ...]
    """The trials or cells, the first hundred of them."""


@dataclass(slots=True)
class _Fault:
    """What a finding is made of, as it is come upon."""

    law: str
    sentence: str
    """With a place for how many."""

    count: int = 0
    concerned: list[str] = field(default_factory=list)

    def add(self, name: str, count: int = 1) -> None:
        self.count += count
        if len(self.concerned) < SHOWN:
            self.concerned.append(name)


class Audit:
    """One run's audit. `trials` says how many of them each place has; fewer verdicts are a fault if the run is `finished`."""

    def __init__(self, run: str, trials: Mapping[Place, int], *, finished: bool) -> None:
        self._run, self._trials, self._finished = run, trials, finished
        self._verdicts: Counter[Place] = Counter()
        self._missing = _Fault(ONE_VERDICT, "{} trials of a finished run have no verdict")
        self._beyond = _Fault(ONE_VERDICT, "{} verdicts are on trials that the run does not have")
        self._unnamed = _Fault(COMPLETIONS, "{} verdicts on an answer name no completion")
        self._lost = _Fault(COMPLETIONS, "{} verdicts name a completion that is not there")
        self._answered = _Fault(COMPLETIONS, "{} verdicts are FAILED and name a completion all the same")
        self._untrue = _Fault(SUMS, "{} cells differ from the sums over their verdicts")
        self._mixed = _Fault(ONE_JUDGE, "{} cells have more than one judge: judge again what they hold, or run it anew")
        self._faults = (
            *(self._missing, self._beyond, self._unnamed, self._lost),
            *(self._answered, self._untrue, self._mixed),
        )

    def verdict(self, name: str, place: Place, outcome: int, completion: str, *, there: bool) -> None:
        """Take in one verdict by its name; `there` says whether its completion is in the store."""
        self._verdicts[place] += 1
        if COUNT_FIELDS[outcome] == "failed":
            if completion:
                self._answered.add(name)
        elif not completion:
            self._unnamed.add(name)
        elif not there:
            self._lost.add(name)

    def cell(self, place: Place, kept: CellSums, counted: CellSums, judges: Iterable[tuple[str, str, str]]) -> None:
        """Take in one cell: its sums as they are kept and as its verdicts say, and who judged there."""
        if not _equal(kept, counted):
            self._untrue.add(f"{self.name(place)}: {_told(kept)} kept, {_told(counted)} in the verdicts")
        named = [f"{judge} {version} ({rubric})" for judge, version, rubric in judges]
        if len(named) > 1:
            self._mixed.add(f"{self.name(place)}: {', '.join(named)}")

    def short(self) -> list[Place]:
        """Return the places of a finished run that have fewer verdicts than trials, in order."""
        if not self._finished:
            return []
        return sorted(place for place, trials in self._trials.items() if self._verdicts[place] < trials)

    def complete(self, task: str, attack: str) -> Place | None:
        """Return a place of this task and attack, of any model, that has all its verdicts; None if there is none."""
        same = [place for place in self._trials if place[1:] == (task, attack)]
        return next((place for place in same if self._verdicts[place] == self._trials[place]), None)

    def missing(self, place: Place, names: Iterable[str]) -> None:
        """Take in which trials of a `short` place have no verdict, as far as that can be told."""
        count = self._trials[place] - self._verdicts[place]
        known = 0
        for name in names:
            self._missing.add(name)
            known += 1
        if known < count:
            told = f"{self.name(place)}: {self._verdicts[place]} verdicts of {self._trials[place]} trials"
            self._missing.add(told, count - known)

    def places(self) -> list[Place]:
        """Return every place met so far, in the record or in a verdict, in order."""
        return sorted(self._trials.keys() | self._verdicts.keys())

    def name(self, place: Place) -> str:
        """Return what the cell of this place is called: the beginning of its verdicts' ids."""
        return f"{self._run}/0/{'/'.join(place)}"

    def findings(self) -> list[Finding]:
        """Return what is wrong, after everything was taken in; nothing if every law holds."""
        for place, count in sorted(self._verdicts.items()):
            beyond = count - self._trials.get(place, 0)
            if beyond > 0:
                self._beyond.add(f"{self.name(place)}: {count} verdicts of {count - beyond} trials", beyond)
        return [
            Finding(fault.law, fault.sentence.format(fault.count), tuple(fault.concerned))
            for fault in self._faults
            if fault.count
        ]


def _equal(kept: CellSums, counted: CellSums) -> bool:
    exact = ("n", *COUNT_FIELDS.values())
    return all(getattr(kept, name) == getattr(counted, name) for name in exact) and all(
        math.isclose(getattr(kept, name), getattr(counted, name), rel_tol=RELATIVE, abs_tol=ABSOLUTE)
        for name in ("sum", "sum_squares")
    )


def _told(tally: CellSums) -> str:
    return f"{tally.total} verdicts, {tally.n} in the mean, sum {tally.sum:.6g}"
