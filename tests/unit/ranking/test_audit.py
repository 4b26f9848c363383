from __future__ import annotations

from dataclasses import replace

import pytest

from libra.core.spending.budget_ledger import Amount, Ledger, amount
from libra.ranking.audit import (
    LAW_1_ONE_VERDICT,
    LAW_2_COMPLETIONS,
    LAW_3_CELL_SUMS,
    LAW_4_ONE_JUDGE,
    LAW_8_BUDGET,
    LAWS,
    Audit,
    Finding,
    audit_budget,
)
from libra.store.sums.cell_sums import CellSums
from libra.store.sums.label_sums import LabelSums
from libra.v1.verdict_pb2 import Outcome

ONE, TWO = ("one", "odd@1", "none"), ("two", "odd@1", "none")
SCORED, FAILED = Outcome.OUTCOME_SCORED, Outcome.OUTCOME_FAILED
JUDGE = ("exact", "1", "aa")


def new_audit(*, finished: bool = True) -> Audit:
    return Audit("R1", {ONE: 2, TWO: 2}, finished=finished)


def add_verdicts(audit: Audit, key: tuple[str, str, str], *samples: int) -> None:
    for sample in samples:
        audit.add_verdict(f"{audit.cell_name(key)}/{sample}", key, SCORED, "c", completion_exists=True)


def single_finding(audit: Audit) -> Finding:
    [finding] = audit.findings()
    return finding


def test_a_run_that_obeys_every_law_has_no_findings() -> None:
    audit = new_audit()
    add_verdicts(audit, ONE, 0, 1)
    add_verdicts(audit, TWO, 0, 1)
    audit.add_cell(ONE, CellSums(n=2, sum=0.1 + 0.2, scored=2), CellSums(n=2, sum=0.3, scored=2), [JUDGE])
    assert audit.incomplete_cells() == []
    assert audit.findings() == []
    assert len(LAWS) == 4


def test_missing_trials_are_named_or_counted() -> None:
    audit = new_audit()
    add_verdicts(audit, TWO, 0)
    assert audit.incomplete_cells() == [ONE, TWO]
    audit.add_missing_trials(ONE, [])
    audit.add_missing_trials(TWO, ["R1/0/two/odd@1/none/1"])
    finding = single_finding(audit)
    assert finding.law == LAW_1_ONE_VERDICT
    assert finding.message == "3 trials of a finished run have no verdict"
    assert finding.concerned == ("R1/0/one/odd@1/none: 0 verdicts of 2 trials", "R1/0/two/odd@1/none/1")


def test_an_unfinished_run_may_have_fewer_verdicts_than_trials_but_not_more() -> None:
    audit = new_audit(finished=False)
    add_verdicts(audit, ONE, 0, 1, 2)
    add_verdicts(audit, ("three", "odd@1", "none"), 0)
    assert audit.incomplete_cells() == []
    finding = single_finding(audit)
    assert finding.message == "2 verdicts are on trials that the run does not have"
    assert finding.concerned == (
        "R1/0/one/odd@1/none: 3 verdicts of 2 trials",
        "R1/0/three/odd@1/none: 1 verdicts of 0 trials",
    )


def test_a_complete_cell_of_another_model_is_found() -> None:
    audit = new_audit()
    add_verdicts(audit, ONE, 0, 1)
    assert audit.find_complete_cell("odd@1", "none") == ONE
    assert audit.find_complete_cell("odd@1", "few_shots") is None


@pytest.mark.parametrize(
    ("outcome", "completion", "completion_exists", "message"),
    [
        (SCORED, "", False, "1 verdicts on an answer name no completion"),
        (Outcome.OUTCOME_UNJUDGED, "c", False, "1 verdicts name a completion that does not exist"),
        (Outcome.OUTCOME_FILTERED, "c", False, "1 verdicts name a completion that does not exist"),
        (FAILED, "c", True, "1 verdicts are FAILED but name a completion"),
    ],
)
def test_every_answer_and_nothing_else_must_have_a_completion(
    *, outcome: int, completion: str, completion_exists: bool, message: str
) -> None:
    audit = new_audit(finished=False)
    audit.add_verdict("R1/x", ONE, outcome, completion, completion_exists=completion_exists)
    assert single_finding(audit) == Finding(LAW_2_COMPLETIONS, message, ("R1/x",))


def test_a_failed_trial_needs_no_completion() -> None:
    audit = new_audit(finished=False)
    audit.add_verdict("R1/x", ONE, FAILED, "", completion_exists=False)
    assert audit.findings() == []


@pytest.mark.parametrize(
    "counted",
    [CellSums(n=2, sum=1.0, scored=2), CellSums(n=1, sum=1.5, scored=2), CellSums(n=2, sum=1.5, filtered=2)],
)
def test_sums_that_differ_from_the_verdicts_are_found(counted: CellSums) -> None:
    audit = new_audit(finished=False)
    audit.add_cell(ONE, CellSums(n=2, sum=1.5, scored=2), counted, [JUDGE])
    finding = single_finding(audit)
    assert finding.law == LAW_3_CELL_SUMS
    assert finding.concerned[0].startswith("R1/0/one/odd@1/none: 2 verdicts, 2 in the mean, sum 1.5 stored")


@pytest.mark.parametrize(
    "counted",
    [
        CellSums(n=2, sum=1.0, scored=2, labels={"yes": LabelSums(2, 1.0)}),
        CellSums(n=2, sum=1.0, scored=2, labels={"yes": LabelSums(1, 0.5), "no": LabelSums(1, 0.5)}),
    ],
)
def test_sums_by_gold_label_that_differ_from_the_verdicts_are_found(counted: CellSums) -> None:
    audit = new_audit(finished=False)
    stored = CellSums(n=2, sum=1.0, scored=2, labels={"yes": LabelSums(1, 1.0), "no": LabelSums(1, 0.0)})
    audit.add_cell(ONE, stored, stored, [JUDGE])
    assert audit.findings() == []
    audit.add_cell(ONE, stored, counted, [JUDGE])
    assert "no: 1 with sum 0, yes: 1 with sum 1 stored" in single_finding(audit).concerned[0]


def test_sums_that_an_earlier_version_wrote_without_labels_and_filtered_sums_are_not_a_violation() -> None:
    audit = new_audit(finished=False)
    counted = CellSums(
        n=2, sum=1.0, scored=1, filtered=1, filtered_n=1, filtered_sum=1.0, labels={"yes": LabelSums(2, 1.0)}
    )
    audit.add_cell(ONE, CellSums(n=2, sum=1.0, scored=1, filtered=1), counted, [JUDGE])
    assert audit.findings() == []


def test_the_scores_of_filtered_answers_are_compared() -> None:
    audit = new_audit(finished=False)
    stored = CellSums(n=2, sum=1.0, scored=1, filtered=1, filtered_n=1, filtered_sum=1.0)
    audit.add_cell(ONE, stored, replace(stored, filtered_sum=0.0), [JUDGE])
    assert single_finding(audit).law == LAW_3_CELL_SUMS


def test_counts_of_responses_that_differ_from_the_verdicts_are_found() -> None:
    audit = new_audit(finished=False)
    stored = CellSums(n=2, sum=1.5, scored=2, classified=2, truncated=1)
    audit.add_cell(ONE, stored, replace(stored, truncated=0, blocked_input=1), [JUDGE])
    finding = single_finding(audit)
    assert finding.law == LAW_3_CELL_SUMS
    assert "sum 1.5, 1 truncated stored" in finding.concerned[0]
    assert "sum 1.5, 1 blocked_input in the verdicts" in finding.concerned[0]


@pytest.mark.parametrize("classified", [0, 1])
def test_a_cell_of_an_earlier_version_needs_no_counts_of_responses(classified: int) -> None:
    audit = new_audit(finished=False)
    stored = CellSums(n=2, sum=1.5, scored=2, classified=classified)
    audit.add_cell(ONE, stored, replace(stored, classified=2, truncated=2), [JUDGE])
    assert audit.findings() == []


def test_two_judges_of_one_cell_are_found() -> None:
    audit = new_audit(finished=False)
    audit.add_cell(ONE, CellSums(), CellSums(), [JUDGE, ("exact", "2", "aa")])
    finding = single_finding(audit)
    assert finding.law == LAW_4_ONE_JUDGE
    assert finding.concerned == ("R1/0/one/odd@1/none: exact 1 (aa), exact 2 (aa)",)


def test_every_violation_is_counted_and_a_hundred_are_named() -> None:
    audit = new_audit(finished=False)
    for sample in range(1000):
        audit.add_verdict(f"R1/{sample}", ONE, FAILED, "c", completion_exists=True)
    faults = {finding.message: finding for finding in audit.findings()}
    assert len(faults["1000 verdicts are FAILED but name a completion"].concerned) == 100


def test_a_budget_is_exceeded_by_no_more_than_what_was_in_flight() -> None:
    limit = amount(usd=5, tokens=100)
    kept = Ledger(limit, written_off=amount(usd=5.5, tokens=90), peak_reserved=amount(usd=0.5, tokens=10))
    assert audit_budget("R1", kept) is None
    assert audit_budget("R1", replace(kept, limit=Amount())) is None
    broken = replace(kept, written_off=amount(usd=5.6, tokens=111))
    finding = audit_budget("R1", broken)
    assert finding
    assert finding.law == LAW_8_BUDGET
    assert finding.message.startswith("2 measures of the budget")
    assert finding.concerned[1] == "R1: tokens: 111 settled, 100 in the budget, at most 10 in flight"


def test_a_budget_without_a_ledger_was_not_counted() -> None:
    finding = audit_budget("R1", None)
    assert finding
    assert "no ledger" in finding.message
