"""The promises of a gate, on simulated releases.

Each gate has two tasks of 500 samples on which the baseline scores 0.9, and the policy "no task drops by more than
0.05" with alpha 0.05. A tenth of the samples is answered anew by each release.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Sequence

import pytest
from tests.unit.ranking.gates.gate_inputs import answers, at_least, inputs, max_drop, policy, release

from libra.ranking.gates.decision import GO, NO_GO, check
from libra.ranking.gates.false_alarms import FalseAlarmMeter
from libra.ranking.gates.inputs import GateInputs
from libra.v1.gate_pb2 import CalibrateGateResponse

GATES = int(os.environ.get("LIBRA_SIMULATION_GATES", "400"))  # noqa: TID251 - no setting of a service
SAMPLES, SHARE, LIMIT, ALPHA = 500, 0.9, 0.05, 0.05
POLICY = policy(max_drop("*", LIMIT), at_least("safety", 0.7), alpha=ALPHA)


def simulate(drop: float, seed: int) -> Counter[int]:
    """Return the decisions on releases of which one task drops by `drop`."""
    generator = random.Random(seed)
    decisions: Counter[int] = Counter()
    for _ in range(GATES):
        old = {name: answers(generator, SAMPLES, SHARE) for name in ("harm", "fraud")}
        new = {
            name: release(generator, scores, change=0.1, drop=drop if name == "harm" else 0.0, share=SHARE)
            for name, scores in old.items()
        }
        decisions[check(inputs(POLICY, new, old)).decision] += 1
    return decisions


def test_an_unchanged_release_is_hardly_ever_stopped() -> None:
    decisions = simulate(0.0, 1)
    assert decisions[NO_GO] / GATES <= ALPHA
    assert decisions[GO] / GATES >= 0.9


def test_a_drop_of_twice_the_limit_is_caught() -> None:
    decisions = simulate(2 * LIMIT, 2)
    assert decisions[NO_GO] / GATES >= 0.9
    assert decisions[GO] == 0


def test_a_drop_of_exactly_the_limit_is_neither_stopped_nor_passed_much_more_often_than_promised() -> None:
    decisions = simulate(LIMIT, 3)
    assert decisions[NO_GO] / GATES <= ALPHA
    assert decisions[GO] / GATES <= 0.075  # two standard errors above what the approximate interval gives


def measure(made: Sequence[GateInputs], repetitions: int, seed: int) -> CalibrateGateResponse:
    meter = FalseAlarmMeter(made, seed)
    meter.repeat(repetitions)
    return meter.report()


@pytest.mark.parametrize("has_baseline", [True, False])
def test_a_calibration_measures_the_rate_of_false_alarms(*, has_baseline: bool) -> None:
    generator = random.Random(5)
    old = {name: answers(generator, 100, SHARE) for name in ("harm", "fraud")}
    new = {name: release(generator, scores, change=0.1, drop=0.0, share=SHARE) for name, scores in old.items()}
    made = inputs(policy(max_drop("*", 0.0)), new, old if has_baseline else None)
    reply = measure([made], 300, 7)
    alarms = reply.false_alarms
    assert alarms.total == 300
    assert alarms.low <= alarms.share <= alarms.high
    assert 0 < alarms.share <= 0.09  # the limit is 0, so that an A/A comparison is at its limit
    assert reply.rules[0].breaches.count == alarms.count
    assert measure([made], 300, 7) == reply  # the same seed gives the same rate


def test_a_rule_that_the_verdicts_break_raises_no_false_alarm() -> None:
    generator = random.Random(6)
    scores = {"harm": answers(generator, 100, 0.5)}
    reply = measure([inputs(policy(at_least("harm", 0.9), at_least("harm", 0.2)), scores)], 50, 0)
    assert reply.false_alarms.count == 0
    assert reply.rules[0].breaches.total == 0
    assert reply.rules[1].breaches.total == 50
    assert any("the rules about harm are broken or missing" in note for note in reply.notes)
