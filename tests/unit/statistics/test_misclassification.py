from __future__ import annotations

import math

import numpy as np
import pytest

from libra.statistics import interval
from libra.statistics.influence import covariance, difference, mean_from_sums
from libra.statistics.misclassification import JudgeRates, rogan_gladen
from libra.statistics.score import Score

from .simulated_boards import task

EXACT_RATES = JudgeRates(0.9, 0.85, 10**9, 10**9)


def corrected(score: Score | None, rates: JudgeRates, judge: str = "harm 1") -> Score:
    assert score
    found = rogan_gladen(score, rates, judge)
    assert found
    return found


def test_the_correction_matches_a_published_example() -> None:
    """150 cows, 23 positive tests, sensitivity 0.96, specificity 0.89: 5.1 % (epiR, epi.prev, by Rogan and Gladen)."""
    found = corrected(mean_from_sums(150, 23, 23), JudgeRates(0.96, 0.89, 10**9, 10**9))
    assert found.value == pytest.approx(0.05098, abs=5e-6)
    assert found.standard_error == pytest.approx(math.sqrt(23 * 127 / 150**2 / 149) / 0.85, rel=1e-6)
    assert found.n == 150


def test_the_correction_inverts_the_errors_of_the_judge() -> None:
    for truth in (0.1, 0.5, 0.9):
        seen = truth * 0.9 + (1 - truth) * (1 - 0.85)
        assert corrected(mean_from_sums(1000, 1000 * seen, 1000 * seen), EXACT_RATES).value == pytest.approx(truth)


def test_the_standard_error_follows_the_derivative_by_each_rate() -> None:
    def at(sensitivity: float, specificity: float) -> float:
        return corrected(mean_from_sums(100, 60, 60), JudgeRates(sensitivity, specificity, 10**9, 10**9)).value

    step, rates = 1e-6, (0.9, 0.85)
    by_sensitivity = (at(0.9 + step, 0.85) - at(0.9 - step, 0.85)) / (2 * step)
    by_specificity = (at(0.9, 0.85 + step) - at(0.9, 0.85 - step)) / (2 * step)
    shares = [(rate * n + 1) / (n + 2) for rate, n in zip(rates, (40, 60), strict=True)]
    errors = [math.sqrt(share * (1 - share) / (n + 2)) for share, n in zip(shares, (40, 60), strict=True)]
    sampled = math.sqrt(0.6 * 0.4 / 99) / 0.75
    found = corrected(mean_from_sums(100, 60, 60), JudgeRates(*rates, 40, 60))
    expected = math.hypot(sampled, by_sensitivity * errors[0], by_specificity * errors[1])
    assert found.standard_error == pytest.approx(expected, rel=1e-4)


def test_a_judge_without_errors_on_few_answers_has_uncertain_rates() -> None:
    perfect = corrected(mean_from_sums(100, 60, 60), JudgeRates(1.0, 1.0, 10, 10))
    assert perfect.value == pytest.approx(0.6)
    assert (perfect.standard_error or 0) > 1.5 * math.sqrt(0.24 / 99)


def test_a_judge_no_better_than_chance_gives_no_correction() -> None:
    score = mean_from_sums(100, 60, 60)
    assert score
    assert rogan_gladen(score, JudgeRates(0.5, 0.5, 50, 50), "coin 1") is None
    assert rogan_gladen(score, JudgeRates(0.3, 0.4, 50, 50), "wrong 1") is None


def test_the_corrected_score_is_limited_to_0_and_1() -> None:
    for seen, end in ((0.05, 0.0), (0.95, 1.0)):
        found = corrected(mean_from_sums(100, 100 * seen, 100 * seen), EXACT_RATES)
        ends = interval.of_score(found)
        assert found.value == end
        assert ends
        assert 0 <= ends.low <= end <= ends.high <= 1
        assert ends.low < ends.high


def test_the_interval_does_not_shrink_close_to_0_and_1() -> None:
    """A corrected share near 1 comes from one that is not, so that its error does not shrink like a plain one."""
    widths = []
    for value in (0.97, 0.999, 0.99999, 1.0):
        seen = value * 0.9 + (1 - value) * 0.15
        ends = interval.of_score(corrected(mean_from_sums(200, 200 * seen, 200 * seen), EXACT_RATES))
        assert ends
        widths.append(value - ends.low)
    assert max(widths) < 1.3 * min(widths)
    assert max(widths) < 3 * math.sqrt(0.9 * 0.1 / 200) / 0.75


def test_an_unknown_error_stays_unknown() -> None:
    found = corrected(mean_from_sums(1, 1, 1), EXACT_RATES)
    assert found.standard_error is None


def test_models_with_the_same_judge_share_the_errors_of_its_rates() -> None:
    rates = JudgeRates(0.9, 0.85, 30, 30)
    one, other = (task("t@1", [1, 0, 1, 1] * 10), task("u@1", [1, 1, 1, 0, 0] * 8))
    same_judge = difference(corrected(one, rates), corrected(other, rates))
    other_judge = difference(corrected(one, rates), corrected(other, rates, "harm 2"))
    assert covariance(corrected(one, rates), corrected(other, rates)) > 0
    assert covariance(corrected(one, rates), corrected(other, rates, "harm 2")) == 0
    assert (same_judge.standard_error or 0) < (other_judge.standard_error or 0)
    # The errors of the judge cancel in the difference of two equal scores.
    same = difference(corrected(one, rates), corrected(task("u@1", [1, 0, 1, 1] * 10), rates))
    bare = difference(one, task("u@1", [1, 0, 1, 1] * 10))
    assert same.standard_error == pytest.approx((bare.standard_error or 0) / 0.75)


@pytest.mark.parametrize(("truth", "n", "labels"), [(0.8, 200, 80), (0.5, 100, 50), (0.9, 500, 200)])
def test_intervals_contain_the_truth_over_many_calibrations(truth: float, n: int, labels: int) -> None:
    generator = np.random.default_rng(6)
    contained = []
    for _ in range(2_000):
        seen = truth * 0.92 + (1 - truth) * 0.12
        total = float(generator.binomial(n, seen))
        rates = generator.binomial(labels, 0.92) / labels, generator.binomial(labels, 0.88) / labels
        ends = interval.of_score(corrected(mean_from_sums(n, total, total), JudgeRates(*rates, labels, labels)))
        assert ends
        contained.append(ends.low <= truth <= ends.high)
    assert 0.93 <= np.mean(contained) <= 0.97
