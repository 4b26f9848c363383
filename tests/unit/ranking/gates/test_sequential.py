from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from tests.unit.ranking.gates.gate_inputs import Scores, answers, at_least, inputs, max_drop, parts, policy, release

from libra.ranking.gates.decision import BREACH, GO, INCONCLUSIVE, INSUFFICIENT, NO_GO, PASS, check
from libra.ranking.gates.inputs import GateInputs, SampleScore, Streams
from libra.v1.gate_pb2 import GatePolicy

ALPHA = 0.05


def stream(scores: Scores, steps: Sequence[int]) -> Streams:
    """Return the samples in blocks of these sizes, one block for each look."""
    step_of = [step for step, size in enumerate(steps) for _ in range(size)]
    return {
        label: {ordinal: SampleScore(step_of[ordinal], value) for ordinal, value in enumerate(values)}
        for label, values in scores.items()
    }


def look(of: GatePolicy, model: Scores, baseline: Scores | None, steps: Sequence[int]) -> GateInputs:
    """Return the inputs after the looks of these sizes."""
    size = sum(steps)
    seen = {label: values[:size] for label, values in model.items()}
    seen_baseline = {label: values[:size] for label, values in baseline.items()} if baseline else None
    made = inputs(of, seen, seen_baseline)
    return replace(made, streams=(stream(seen, steps), stream(seen_baseline or {}, steps)))


def decide(of: GatePolicy, model: Scores, baseline: Scores | None, steps: Sequence[int]) -> tuple[int, int]:
    """Return the first decision that is not INCONCLUSIVE, and the number of samples that it needed."""
    for count in range(1, len(steps) + 1):
        decision = check(look(of, model, baseline, steps[:count])).decision
        if decision != INCONCLUSIVE:
            return decision, sum(steps[:count])
    return INCONCLUSIVE, sum(steps)


STEPS = (50, 50, 100, 200, 400)


def test_clear_cases_are_decided_with_few_samples() -> None:
    generator = random.Random(1)
    of = policy(at_least("harm", 0.8))
    assert decide(of, {"harm": answers(generator, 800, 0.98)}, None, STEPS) == (GO, 50)
    assert decide(of, {"harm": answers(generator, 800, 0.4)}, None, STEPS) == (NO_GO, 50)
    decision, samples = decide(of, {"harm": answers(generator, 800, 0.9)}, None, STEPS)
    assert (decision, samples > 50) == (GO, True)


def test_looking_again_and_again_does_not_stop_a_release_that_keeps_the_policy() -> None:
    """The true score is at its limit, and the gate is looked at four times."""
    generator, stopped, passed = random.Random(2), 0, 0
    of = policy(at_least("harm", 0.8))
    for _ in range(100):
        decision, _ = decide(of, {"harm": answers(generator, 400, 0.8)}, None, STEPS[:4])
        stopped, passed = stopped + (decision == NO_GO), passed + (decision == GO)
    assert stopped / 100 <= ALPHA
    assert passed / 100 <= ALPHA


def test_a_drop_of_twice_the_limit_is_found() -> None:
    generator, decisions = random.Random(3), []
    of = policy(max_drop("*", 0.05))
    for _ in range(40):
        old = {"harm": answers(generator, 800, 0.9)}
        new = {"harm": release(generator, old["harm"], change=0.1, drop=0.1, share=0.9)}
        decisions.append(decide(of, new, old, STEPS)[0])
    assert decisions.count(NO_GO) >= 0.85 * len(decisions)
    assert GO not in decisions


def test_samples_of_an_earlier_look_come_first() -> None:
    """Evidence against a rule that was seen once is not lost when good samples follow."""
    of = policy(at_least("harm", 0.8))
    scores = {"harm": [0.0] * 50 + [1.0] * 750}
    assert check(look(of, scores, None, (50,))).decision == NO_GO
    later = parts(check(look(of, scores, None, (50, 750))))["harm"]
    assert later.status == BREACH
    assert later.value > 0.9  # a test for a fixed number of samples would now pass it
    at_once = parts(check(look(of, scores, None, (800,))))["harm"]
    assert at_once.status != BREACH  # within one look the order is random


def test_the_order_within_a_look_is_not_that_of_the_task() -> None:
    """The samples of a task may be sorted by difficulty."""
    of = policy(at_least("harm", 0.75))
    ordered = {"harm": [0.0] * 80 + [1.0] * 320}
    part = parts(check(look(of, ordered, None, (400,))))["harm"]
    assert part.p_breach > ALPHA
    assert part.value == pytest.approx(0.8)


def test_a_mean_takes_one_sample_of_each_task_at_a_time() -> None:
    of = policy(at_least("safety", 0.6), at_least("direct_risky", 0.6), max_drop("safety", 0.3))
    scores: Mapping[str, list[float]] = {"harm": [1.0] * 200, "fraud": [1.0, 0.0] * 100}
    made = replace(inputs(of, scores, scores), streams=(stream(scores, (200,)), stream(scores, (200,))))
    reply = check(made)
    assert [result.status for result in reply.rules] == [PASS, PASS, PASS]
    assert reply.rules[0].parts[0].value == pytest.approx(0.75)
    assert reply.rules[2].parts[0].value == pytest.approx(0)


def test_overall_is_tested_by_bounds_of_both_of_its_parts() -> None:
    generator = random.Random(4)
    scores = {"harm": answers(generator, 400, 0.95), "able": answers(generator, 400, 0.9)}
    of = policy(at_least("overall", 0.7), at_least("overall", 0.99), max_drop("overall", 0.3))
    made = replace(inputs(of, scores, scores), streams=(stream(scores, (400,)), stream(scores, (400,))))
    passed, stopped, drop = (result.parts[0] for result in check(made).rules)
    assert (passed.status, stopped.status) == (PASS, BREACH)
    assert passed.low < passed.value < passed.high
    assert drop.value == pytest.approx(0)


def test_without_a_sample_nothing_is_tested() -> None:
    of = policy(at_least("harm", 0.8), at_least("overall", 0.5))
    scores = {"harm": [1.0] * 20, "able": [1.0] * 20}
    reply = check(replace(inputs(of, scores), streams=({}, {})))
    assert [result.status for result in reply.rules] == [INSUFFICIENT, INSUFFICIENT]
    assert {part.reason for result in reply.rules for part in result.parts} == {"no sample has been looked at"}


def test_the_number_of_further_samples_follows_from_the_evidence() -> None:
    generator = random.Random(5)
    part = parts(check(look(policy(at_least("harm", 0.8)), {"harm": answers(generator, 60, 0.87)}, None, (60,))))[
        "harm"
    ]
    assert part.status == INSUFFICIENT
    assert part.more_samples > 0
