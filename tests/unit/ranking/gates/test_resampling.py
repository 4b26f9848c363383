from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from tests.unit.ranking.gates.gate_inputs import at_least, inputs, max_drop, policy

from libra.core.errors import FailedPrecondition
from libra.ranking.comparison.pairing import ComparisonSide
from libra.ranking.gates.decision import BALANCED, check
from libra.ranking.gates.false_alarms import FalseAlarmMeter
from libra.ranking.gates.inputs import GateInputs, label_of
from libra.ranking.gates.resampling import to_population
from libra.v1.gate_pb2 import CalibrateGateResponse

OLD = {"harm": [0.25, 0.5, 0.75], "harm+few_shots": [0.0, 0.125, 1.0]}
NEW = {"harm": [0.3, 0.6, 0.9], "harm+few_shots": [0.1, 0.2, 0.4]}
POLICY = policy(max_drop("*", 0.1), min_samples=1)


def scores(side: ComparisonSide | None) -> Mapping[str, dict[int, float]]:
    assert side is not None
    found = {}
    for each in side.board_cells:
        sums = side.sample_sums[each.cell.key]
        found[label_of(each)] = dict(zip(sums.ordinals, sums.sums, strict=True))
    return found


def draws(made: GateInputs, count: int = 200) -> list[GateInputs]:
    population, generator = to_population(made), random.Random(1)
    return [population.draw(generator) for _ in range(count)]


def test_a_drawn_sample_keeps_both_its_scores_and_changes_sides_at_random() -> None:
    swapped = 0
    pairs = list(zip(NEW["harm"], OLD["harm"], strict=True))
    for made in draws(inputs(POLICY, NEW, OLD)):
        one, other = scores(made.model), scores(made.baseline)
        for position in one["harm"]:
            pair = (one["harm"][position], other["harm"][position])
            assert pair in pairs or pair[::-1] in pairs
            swapped += pair[::-1] in pairs
    assert swapped == pytest.approx(300, abs=60)


def test_a_sample_is_drawn_with_all_its_attacks() -> None:
    for made in draws(inputs(POLICY, NEW, OLD), 50):
        for side in (scores(made.model), scores(made.baseline)):
            for position, value in side["harm"].items():
                source = NEW if value in NEW["harm"] else OLD
                number = source["harm"].index(value)
                assert side["harm+few_shots"][position] == source["harm+few_shots"][number]


def test_without_a_baseline_both_sides_are_drawn_from_the_model() -> None:
    differs = 0
    for made in draws(inputs(POLICY, NEW)):
        one, other = scores(made.model), scores(made.baseline)
        assert set(one["harm"].values()) | set(other["harm"].values()) <= set(NEW["harm"])
        differs += one != other
    assert differs > 150


def test_the_truth_is_the_mean_of_both_sides() -> None:
    truth = to_population(inputs(policy(max_drop("harm", 0.1), at_least("harm", 0.5)), NEW, OLD)).truth()
    drop, level = (result.parts[0] for result in check(truth).rules)
    assert drop.value == pytest.approx(0)
    assert level.value == pytest.approx((sum(NEW["harm"]) + sum(OLD["harm"])) / 6)


def test_a_drawn_sample_keeps_its_gold_label() -> None:
    made = inputs(POLICY, NEW, OLD)
    for side in (made.model, made.baseline):
        assert side is not None
        for key, sums in list(side.sample_sums.items()):
            side.sample_sums[key] = replace(sums, labels=("a", "b", "a"))  # type: ignore[index]  # a dictionary
    for drawn in draws(made, 20):
        for each in drawn.model.board_cells:
            sums = drawn.model.sample_sums[each.cell.key]
            middle = {NEW[label_of(each)][1], OLD[label_of(each)][1]}
            assert [label == "b" for label in sums.labels] == [score in middle for score in sums.sums]
    sequential = replace(made, streams=({}, {}))
    assert {part.reason for result in check(sequential).rules for part in result.parts} == {BALANCED}


def test_only_shared_samples_are_drawn() -> None:
    longer = {"harm": [*NEW["harm"], 1.0, 1.0], "fraud": [1.0, 0.0]}
    for made in draws(inputs(POLICY, longer, {"harm": OLD["harm"]}), 20):
        one = scores(made.model)
        assert one.keys() == {"harm"}
        assert len(one["harm"]) == 3
        assert 1.0 not in one["harm"].values()


def measure(made: Sequence[GateInputs], repetitions: int, seed: int) -> CalibrateGateResponse:
    meter = FalseAlarmMeter(made, seed)
    meter.repeat(repetitions)
    return meter.report()


def test_a_model_that_keeps_no_rule_is_left_out() -> None:
    bad = inputs(policy(at_least("harm", 0.9)), {"harm": [0.0] * 40})
    good = inputs(policy(at_least("harm", 0.9)), {"harm": [1.0] * 40})
    with pytest.raises(FailedPrecondition, match="no model has verdicts that keep a rule"):
        measure([bad], 10, 0)
    reply = measure([bad, good], 10, 0)
    assert list(reply.models) == ["new"]
    assert reply.passes.count == 10
    assert any("keep no rule" in note for note in reply.notes)
