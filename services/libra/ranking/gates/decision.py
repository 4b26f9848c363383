"""Decides: tests every requirement, corrects for their number, and gives the decision of the gate.

BREACH is significant after Holm's correction over all tested requirements. So a gate stops a model that keeps every
rule with a probability of at most alpha. PASS needs no correction: GO needs PASS in every rule of the tier BLOCK, and
a model that breaks one of them passes that one with a probability of at most alpha (intersection-union test; Berger
1982, Technometrics 24, 295).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from libra.core.outcome_names import total_of
from libra.ranking.board.board_notes import row_notes
from libra.ranking.board.cell_selection import BoardCell
from libra.ranking.comparison.sample_changes import find_changes
from libra.ranking.gates.inputs import GateInputs
from libra.ranking.gates.policy import BLOCK
from libra.ranking.gates.requirements import Measurements, Requirement, lay_out, measure
from libra.ranking.gates.sequential import SequentialTest, compare_sequentially
from libra.statistics.interval import spread_of
from libra.statistics.limits import LimitTest, compare_limit, more_samples, spread_of_drop
from libra.statistics.paired_tests import holm
from libra.v1.gate_pb2 import (
    CheckGateResponse,
    GateDecision,
    GatePart,
    GatePolicy,
    GateRuleResult,
    GateStatus,
)
from libra.v1.run_pb2 import OutcomeCounts

PASS, BREACH = GateStatus.GATE_STATUS_PASS, GateStatus.GATE_STATUS_BREACH
INSUFFICIENT, MISSING = GateStatus.GATE_STATUS_INSUFFICIENT, GateStatus.GATE_STATUS_MISSING
WORST_FIRST = (BREACH, MISSING, INSUFFICIENT, PASS)
GO, NO_GO = GateDecision.GATE_DECISION_GO, GateDecision.GATE_DECISION_NO_GO
INCONCLUSIVE = GateDecision.GATE_DECISION_INCONCLUSIVE
BALANCED = "a score that is balanced over gold labels has no sequential test; check it without --decide"


@dataclass(slots=True)
class TestedRequirement:
    """A requirement with its test, if there can be one."""

    requirement: Requirement
    test: LimitTest | SequentialTest | None
    reason: str
    """Reason why there is no test; empty if there is one."""

    p_holm: float = 1.0


def check(inputs: GateInputs) -> CheckGateResponse:
    """Return the decision with its reasons."""
    measurements = measure(inputs)
    tested = [[_test(each, inputs) for each in lay_out(rule, measurements)] for rule in inputs.policy.rules]
    with_test = [each for group in tested for each in group if each.test is not None]
    ps = [each.test.p_below for each in with_test if each.test is not None]
    for each, p_holm in zip(with_test, holm(ps), strict=True):
        each.p_holm = p_holm
    results = [
        _to_result(GateRuleResult(rule=rule), group, inputs.policy, len(ps))
        for rule, group in zip(inputs.policy.rules, tested, strict=True)
    ]
    response = CheckGateResponse(
        decision=decide(results),
        rules=results,
        changes=find_changes(measurements.pairing),
        alpha=inputs.policy.alpha,
        tests=len(ps),
        notes=_write_notes(measurements),
    )
    if response.decision == INCONCLUSIVE:
        _plan(response)
    return response


def decide(results: Sequence[GateRuleResult]) -> GateDecision.ValueType:
    """Return the decision from the results of all rules."""
    statuses = {each.status for each in results if each.rule.tier == BLOCK}
    if BREACH in statuses:
        return NO_GO
    return GO if statuses == {PASS} else INCONCLUSIVE


def _test(requirement: Requirement, inputs: GateInputs) -> TestedRequirement:
    reason = requirement.reason or _find_weakness(requirement, inputs.policy)
    if reason or requirement.model_score is None:
        return TestedRequirement(requirement, None, reason)
    test: LimitTest | SequentialTest | None
    if inputs.streams is not None:
        if _has_balanced_score(requirement, inputs):
            return TestedRequirement(requirement, None, BALANCED)
        test = compare_sequentially(requirement, inputs.streams, inputs.policy.alpha)
        return TestedRequirement(requirement, test, "" if test else "no sample has been looked at")
    if requirement.baseline_score is None:
        single = spread_of(requirement.model_score)
        test = compare_limit(single, requirement.limit) if single else None
    else:
        paired = spread_of_drop(requirement.model_score, requirement.baseline_score)
        test = compare_limit(paired, requirement.limit) if paired else None
    return TestedRequirement(requirement, test, "" if test else "its standard error is unknown")


def _has_balanced_score(requirement: Requirement, inputs: GateInputs) -> bool:
    """Return whether the score of a task in the requirement is balanced over gold labels."""
    sums = (inputs.model.sample_sums.get(each.cell.key) for each in requirement.cells)
    return any(each is not None and len(each.labels) > 0 for each in sums)


def _find_weakness(requirement: Requirement, policy: GatePolicy) -> str:
    """Return why a score is not tested; empty if it is."""
    if 0 < requirement.samples < policy.min_samples:
        return f"{requirement.samples} samples are fewer than {policy.min_samples}"
    for whose, cells in (("the model's", requirement.cells), ("the baseline's", requirement.baseline_cells)):
        trials = sum(each.cell.total for each in cells)
        unscored = sum(each.cell.unjudged + each.cell.failed for each in cells)
        if trials and unscored / trials > policy.max_unscored:
            return f"{unscored} of {whose} {trials} trials are UNJUDGED or FAILED"
    return ""


def _to_result(
    result: GateRuleResult, group: Sequence[TestedRequirement], policy: GatePolicy, tests: int
) -> GateRuleResult:
    result.parts.extend(_to_part(each, policy, tests) for each in group)
    statuses = {part.status for part in result.parts}
    result.status = next((status for status in WORST_FIRST if status in statuses), MISSING)
    return result


def _to_part(tested: TestedRequirement, policy: GatePolicy, tests: int) -> GatePart:
    requirement, test = tested.requirement, tested.test
    part = GatePart(
        score=requirement.score,
        limit=requirement.limit,
        samples=requirement.samples,
        reason=tested.reason,
        counts=_count_outcomes(requirement.cells),
        status=INSUFFICIENT,
    )
    if requirement.model_score is None:
        part.status = MISSING
        return part
    part.value = part.model_score = requirement.model_score.value
    if requirement.baseline_score is not None:
        part.baseline_score = requirement.baseline_score.value
        part.value = part.model_score - part.baseline_score
        part.baseline_counts.CopyFrom(_count_outcomes(requirement.baseline_cells))
    if test is None:
        return part
    if isinstance(test, SequentialTest):
        part.value, ends = test.value, test.interval
    else:
        ends = test.interval(policy.alpha)
    part.low, part.high = ends.low, ends.high
    part.p_breach, part.p_breach_holm, part.p_pass = test.p_below, tested.p_holm, test.p_above
    if tested.p_holm <= policy.alpha:
        part.status = BREACH
    elif test.p_above <= policy.alpha:
        part.status = PASS
    else:
        more = _plan_part(test, requirement.samples, policy.alpha, tests)
        if more is not None:
            part.more_samples = more
    return part


def _plan_part(test: LimitTest | SequentialTest, samples: int, alpha: float, tests: int) -> int | None:
    """Return about how many samples more decide. A breach must be significant among all tests (Bonferroni)."""
    if isinstance(test, SequentialTest):
        return test.more_samples(samples, alpha, alpha / tests)
    level = alpha if test.spread.value > test.limit else alpha / tests
    return more_samples(test, samples, level)


def _plan(response: CheckGateResponse) -> None:
    """Set how many samples more decide, if some number would."""
    open_parts = [
        part
        for result in response.rules
        if result.rule.tier == BLOCK
        for part in result.parts
        if part.status in (INSUFFICIENT, MISSING)
    ]
    if open_parts and all(part.HasField("more_samples") for part in open_parts):
        response.more_samples = max(part.more_samples for part in open_parts)


def _count_outcomes(cells: Iterable[BoardCell]) -> OutcomeCounts:
    counts = OutcomeCounts()
    for each in cells:
        counts.scored += each.cell.scored
        counts.filtered += each.cell.filtered
        counts.unjudged += each.cell.unjudged
        counts.failed += each.cell.failed
    return counts


def _write_notes(measurements: Measurements) -> list[str]:
    inputs, pairing = measurements.inputs, measurements.pairing
    notes = row_notes([measurements.row], inputs.score_inputs(inputs.model)) if measurements.row else []
    if pairing is not None and pairing.only_one:
        labels = sorted(each.task_name for each in pairing.only_one)
        notes.append(f"the baseline lacks {', '.join(dict.fromkeys(labels))}: no rule about drops includes it")
    unscored = [each for each in inputs.model.board_cells if each.cell.unjudged or each.cell.failed]
    if unscored:
        trials = sum(total_of(each.cell) for each in unscored)
        lost = sum(each.cell.unjudged + each.cell.failed for each in unscored)
        notes.append(f"{lost} of {trials} trials on {len(unscored)} tasks are UNJUDGED or FAILED and in no score")
    return notes
