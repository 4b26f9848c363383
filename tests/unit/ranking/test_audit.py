from __future__ import annotations

import pytest

from libra.ranking.audit import COMPLETIONS, LAWS, ONE_JUDGE, ONE_VERDICT, SUMS, Audit, Finding
from libra.store.cell_sums import CellSums
from libra.v1.verdict_pb2 import Outcome

ONE, TWO = ("one", "odd@1", "none"), ("two", "odd@1", "none")
SCORED, FAILED = Outcome.OUTCOME_SCORED, Outcome.OUTCOME_FAILED
JUDGE = ("exact", "1", "aa")


def audit(*, finished: bool = True) -> Audit:
    return Audit("R1", {ONE: 2, TWO: 2}, finished=finished)


def read(target: Audit, place: tuple[str, str, str], *samples: int) -> None:
    for sample in samples:
        target.verdict(f"{target.name(place)}/{sample}", place, SCORED, "c", there=True)


def only(target: Audit) -> Finding:
    [finding] = target.findings()
    return finding


def test_nothing_is_found_where_every_law_holds() -> None:
    target = audit()
    read(target, ONE, 0, 1)
    read(target, TWO, 0, 1)
    target.cell(ONE, CellSums(n=2, sum=0.1 + 0.2, scored=2), CellSums(n=2, sum=0.3, scored=2), [JUDGE])
    assert target.short() == []
    assert target.findings() == []
    assert len(LAWS) == 4


def test_missing_trials_are_named_or_counted() -> None:
    target = audit()
    read(target, TWO, 0)
    assert target.short() == [ONE, TWO]
    target.missing(ONE, [])
    target.missing(TWO, ["R1/0/two/odd@1/none/1"])
    finding = only(target)
    assert finding.law == ONE_VERDICT
    assert finding.message == "3 trials of a finished run have no verdict"
    assert finding.concerned == ("R1/0/one/odd@1/none: 0 verdicts of 2 trials", "R1/0/two/odd@1/none/1")


def test_a_run_that_is_not_finished_may_lack_verdicts_but_have_none_beyond_its_trials() -> None:
    target = audit(finished=False)
    read(target, ONE, 0, 1, 2)
    read(target, ("three", "odd@1", "none"), 0)
    assert target.short() == []
    finding = only(target)
    assert finding.message == "2 verdicts are on trials that the run does not have"
    assert finding.concerned == (
        "R1/0/one/odd@1/none: 3 verdicts of 2 trials",
        "R1/0/three/odd@1/none: 1 verdicts of 0 trials",
    )


def test_a_complete_place_of_another_model_tells_which_trials_there_are() -> None:
    target = audit()
    read(target, ONE, 0, 1)
    assert target.complete("odd@1", "none") == ONE
    assert target.complete("odd@1", "few_shots") is None


@pytest.mark.parametrize(
    ("outcome", "completion", "there", "message"),
    [
        (SCORED, "", False, "1 verdicts on an answer name no completion"),
        (Outcome.OUTCOME_UNJUDGED, "c", False, "1 verdicts name a completion that is not there"),
        (Outcome.OUTCOME_FILTERED, "c", False, "1 verdicts name a completion that is not there"),
        (FAILED, "c", True, "1 verdicts are FAILED and name a completion all the same"),
    ],
)
def test_a_completion_belongs_to_every_answer_and_to_nothing_else(
    *, outcome: int, completion: str, there: bool, message: str
) -> None:
    target = audit(finished=False)
    target.verdict("R1/x", ONE, outcome, completion, there=there)
    assert only(target) == Finding(COMPLETIONS, message, ("R1/x",))


def test_a_failed_trial_needs_no_completion() -> None:
    target = audit(finished=False)
    target.verdict("R1/x", ONE, FAILED, "", there=False)
    assert target.findings() == []


@pytest.mark.parametrize(
    "counted",
    [CellSums(n=2, sum=1.0, scored=2), CellSums(n=1, sum=1.5, scored=2), CellSums(n=2, sum=1.5, filtered=2)],
)
def test_sums_that_are_not_the_verdicts_are_found(counted: CellSums) -> None:
    target = audit(finished=False)
    target.cell(ONE, CellSums(n=2, sum=1.5, scored=2), counted, [JUDGE])
    finding = only(target)
    assert finding.law == SUMS
    assert finding.concerned[0].startswith("R1/0/one/odd@1/none: 2 verdicts, 2 in the mean, sum 1.5 kept")


def test_two_judges_of_one_cell_are_found() -> None:
    target = audit(finished=False)
    target.cell(ONE, CellSums(), CellSums(), [JUDGE, ("exact", "2", "aa")])
    finding = only(target)
    assert finding.law == ONE_JUDGE
    assert finding.concerned == ("R1/0/one/odd@1/none: exact 1 (aa), exact 2 (aa)",)


def test_all_are_counted_and_a_hundred_are_named() -> None:
    target = audit(finished=False)
    for sample in range(1000):
        target.verdict(f"R1/{sample}", ONE, FAILED, "c", there=True)
    faults = {finding.message: finding for finding in target.findings()}
    assert len(faults["1000 verdicts are FAILED and name a completion all the same"].concerned) == 100
