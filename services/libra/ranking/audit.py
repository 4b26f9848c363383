"""Checks the laws of a run on its verdicts, completions and cells, one fact at a time.

Memory grows with the run's sections, not with its verdicts.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields

from libra.core.outcome_names import OUTCOMES
from libra.core.response_names import COUNTED_RESPONSES
from libra.core.spending.budget_ledger import Amount, Ledger
from libra.store.sums.cell_sums import RESPONSE_COUNTS, CellSums
from libra.store.sums.cells import JudgeKey
from libra.store.sums.label_sums import LabelSums
from libra.v1.verdict_pb2 import Outcome

LAW_1_ONE_VERDICT = "every trial has exactly one verdict, once its run is finished"
LAW_2_COMPLETIONS = "every verdict on an answer has its completion, and a FAILED one has none"
LAW_3_CELL_SUMS = "the cells equal the sums over the verdicts"
LAW_4_ONE_JUDGE = "each cell has been judged by one version of one judge"
LAW_8_BUDGET = "the settled cost exceeds the budget by no more than what was in flight"
"""A law of runs with a budget only."""

LAWS = (LAW_1_ONE_VERDICT, LAW_2_COMPLETIONS, LAW_3_CELL_SUMS, LAW_4_ONE_JUDGE)

MAX_NAMED = 100
"""The most trials or cells that a finding names."""

RELATIVE = ABSOLUTE = 1e-9
"""Sums of the same scores in different order differ by less: the error of a million additions is about 1e-10."""

RunCellKey = tuple[str, str, str]
"""The key of a cell of the run: the model, the task as "name@version", and the attack."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One way in which a law is violated."""

    law: str
    message: str
    concerned: tuple[str, ...]
    """The trials or cells, the first hundred of them."""


@dataclass(slots=True)
class _Violation:
    """Counts one kind of violation."""

    law: str
    message: str
    """With a placeholder for the count."""

    count: int = 0
    concerned: list[str] = field(default_factory=list)

    def add(self, name: str, count: int = 1) -> None:
        self.count += count
        if len(self.concerned) < MAX_NAMED:
            self.concerned.append(name)


class Audit:
    """The audit of one run.

    `trials` is the number of trials of each cell; fewer verdicts are a violation if the run is `finished`.
    """

    def __init__(self, run: str, trials: Mapping[RunCellKey, int], *, finished: bool) -> None:
        self._run, self._trials, self._finished = run, trials, finished
        self._verdicts: Counter[RunCellKey] = Counter()
        self._missing = _Violation(LAW_1_ONE_VERDICT, "{} trials of a finished run have no verdict")
        self._surplus = _Violation(LAW_1_ONE_VERDICT, "{} verdicts are on trials that the run does not have")
        self._unnamed = _Violation(LAW_2_COMPLETIONS, "{} verdicts on an answer name no completion")
        self._lost = _Violation(LAW_2_COMPLETIONS, "{} verdicts name a completion that does not exist")
        self._failed = _Violation(LAW_2_COMPLETIONS, "{} verdicts are FAILED but name a completion")
        self._unequal = _Violation(LAW_3_CELL_SUMS, "{} cells differ from the sums over their verdicts")
        self._mixed = _Violation(LAW_4_ONE_JUDGE, "{} cells have more than one judge: rejudge the run, or run it again")
        self._violations = (
            *(self._missing, self._surplus, self._unnamed, self._lost),
            *(self._failed, self._unequal, self._mixed),
        )

    def add_verdict(
        self, verdict_id: str, key: RunCellKey, outcome: int, completion_id: str, *, completion_exists: bool
    ) -> None:
        """Check laws 1 and 2 on one verdict; `completion_exists` says whether its completion is in the store."""
        self._verdicts[key] += 1
        if outcome == Outcome.OUTCOME_FAILED:
            if completion_id:
                self._failed.add(verdict_id)
        elif not completion_id:
            self._unnamed.add(verdict_id)
        elif not completion_exists:
            self._lost.add(verdict_id)

    def add_cell(self, key: RunCellKey, stored: CellSums, counted: CellSums, judges: Iterable[JudgeKey]) -> None:
        """Check laws 3 and 4 on one cell: its stored sums, the sums over its verdicts, and its judges."""
        if not _equals(stored, counted):
            self._unequal.add(
                f"{self.cell_name(key)}: {_describe(stored)} stored, {_describe(counted)} in the verdicts"
            )
        names = [f"{judge} {version} ({rubric})" for judge, version, rubric in judges]
        if len(names) > 1:
            self._mixed.add(f"{self.cell_name(key)}: {', '.join(names)}")

    def incomplete_cells(self) -> list[RunCellKey]:
        """Return the cells of a finished run that have fewer verdicts than trials, in order."""
        if not self._finished:
            return []
        return sorted(key for key, trials in self._trials.items() if self._verdicts[key] < trials)

    def find_complete_cell(self, task: str, attack: str) -> RunCellKey | None:
        """Return a cell of this task and attack, of any model, that has all its verdicts; None if there is none."""
        cells = [key for key in self._trials if key[1:] == (task, attack)]
        return next((key for key in cells if self._verdicts[key] == self._trials[key]), None)

    def add_missing_trials(self, key: RunCellKey, ids: Iterable[str]) -> None:
        """Add the trials of an incomplete cell that have no verdict, as far as their ids are known."""
        count = self._trials[key] - self._verdicts[key]
        known = 0
        for trial_id in ids:
            self._missing.add(trial_id)
            known += 1
        if known < count:
            summary = f"{self.cell_name(key)}: {self._verdicts[key]} verdicts of {self._trials[key]} trials"
            self._missing.add(summary, count - known)

    def cell_keys(self) -> list[RunCellKey]:
        """Return every cell of the run and of the verdicts so far, in order."""
        return sorted(self._trials.keys() | self._verdicts.keys())

    def cell_name(self, key: RunCellKey) -> str:
        """Return the name of the cell: the prefix of its verdicts' ids."""
        return f"{self._run}/0/{'/'.join(key)}"

    def findings(self) -> list[Finding]:
        """Return the violations, after everything was added; nothing if every law holds."""
        for key, count in sorted(self._verdicts.items()):
            surplus = count - self._trials.get(key, 0)
            if surplus > 0:
                self._surplus.add(f"{self.cell_name(key)}: {count} verdicts of {count - surplus} trials", surplus)
        return [
            Finding(violation.law, violation.message.format(violation.count), tuple(violation.concerned))
            for violation in self._violations
            if violation.count
        ]


def audit_budget(run: str, ledger: Ledger | None) -> Finding | None:
    """Check law 8 on the ledger of a run with a budget; return how it is violated, None if it holds."""
    if ledger is None:
        return Finding(LAW_8_BUDGET, "the run has a budget but no ledger, so its spending was not counted", (run,))
    spent, limit, in_flight = ledger.settled, ledger.limit, ledger.peak_reserved
    exceeded = tuple(
        f"{run}: {name}: {getattr(spent, name):,} settled, {getattr(limit, name):,} in the budget, "
        f"at most {getattr(in_flight, name):,} in flight"
        for name in (each.name for each in fields(Amount))
        if 0 < getattr(limit, name) < getattr(spent, name) - getattr(in_flight, name)
    )
    if not exceeded:
        return None
    message = f"{len(exceeded)} measures of the budget are exceeded by more than what was in flight"
    return Finding(LAW_8_BUDGET, message, exceeded)


def _equals(stored: CellSums, counted: CellSums) -> bool:
    """Compare the sums; those that earlier versions did not have only if no such version wrote some verdicts."""
    is_classified, has_filtered = stored.classified == stored.total, stored.filtered_n == stored.filtered
    counts = ("n", *OUTCOMES, *(RESPONSE_COUNTS if is_classified else ()))
    sums = ("sum", "sum_squares", *(("filtered_sum",) if has_filtered else ()))
    has_labels = sum(label.n for label in stored.labels.values()) == stored.n
    return (
        all(getattr(stored, name) == getattr(counted, name) for name in counts)
        and all(_is_close(getattr(stored, name), getattr(counted, name)) for name in sums)
        and (not has_labels or _equal_labels(stored.labels, counted.labels))
    )


def _equal_labels(stored: Mapping[str, LabelSums], counted: Mapping[str, LabelSums]) -> bool:
    """Compare the sums by gold label."""
    return stored.keys() == counted.keys() and all(
        (sums.n, sums.filtered) == (counted[label].n, counted[label].filtered)
        and all(
            _is_close(getattr(sums, name), getattr(counted[label], name))
            for name in ("sum", "sum_squares", "filtered_sum")
        )
        for label, sums in stored.items()
    )


def _is_close(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=RELATIVE, abs_tol=ABSOLUTE)


def _describe(sums: CellSums) -> str:
    counts = "".join(f", {getattr(sums, name)} {name}" for name in COUNTED_RESPONSES.values() if getattr(sums, name))
    labels = "".join(f", {label}: {each.n} with sum {each.sum:.6g}" for label, each in sorted(sums.labels.items()))
    return f"{sums.total} verdicts, {sums.n} in the mean, sum {sums.sum:.6g}{counts}{labels}"
