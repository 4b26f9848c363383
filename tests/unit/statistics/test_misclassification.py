from __future__ import annotations

import math

import numpy as np
import pytest

from libra.statistics import interval
from libra.statistics.influence import covariance, difference, mean_from_sums
from libra.statistics.misclassification import JudgeRates, rogan_gladen
from libra.statistics.score import Score

from .boards import task

SURE = JudgeRates(0.9, 0.85, 10**9, 10**9)


def corrected(score: Score | None, errors: JudgeRates, judge: str = "harm 1") -> Score:
    assert score
    found = rogan_gladen(score, errors, judge)
    assert found
    return found


def test_the_correction_is_the_published_one() -> None:
    """150 cows, 23 test positive, sensitivity 0.96, specificity 0.89: 5.1 % (epiR, epi.prev, after Rogan and Gladen)."""
    found = corrected(mean_from_sums(150, 23, 23), JudgeRates(0.96, 0.89, 10**9, 10**9))
    assert found.value == pytest.approx(0.05098, abs=5e-6)
    assert found.standard_error == pytest.approx(math.sqrt(23 * 127 / 150**2 / 149) / 0.85, rel=1e-6)
    assert found.n == 150


def test_it_undoes_what_the_judge_does() -> None:
    for truth in (0.1, 0.5, 0.9):
        seen = truth * 0.9 + (1 - truth) * (1 - 0.85)
        assert corrected(mean_from_sums(1000, 1000 * seen, 1000 * seen), SURE).value == pytest.approx(truth)


def test_the_error_has_the_slope_of_each_rate() -> None:
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


def test_a_judge_that_made_no_error_on_few_answers_is_not_sure_to_make_none() -> None:
    perfect = corrected(mean_from_sums(100, 60, 60), JudgeRates(1.0, 1.0, 10, 10))
    assert perfect.value == pytest.approx(0.6)
    assert (perfect.standard_error or 0) > 1.5 * math.sqrt(0.24 / 99)


def test_a_judge_that_tells_nothing_corrects_nothing() -> None:
    score = mean_from_sums(100, 60, 60)
    assert score
    assert rogan_gladen(score, JudgeRates(0.5, 0.5, 50, 50), "coin 1") is None
    assert rogan_gladen(score, JudgeRates(0.3, 0.4, 50, 50), "wrong 1") is None


def test_it_is_cut_off_at_both_ends() -> None:
    for seen, end in ((0.05, 0.0), (0.95, 1.0)):
        found = corrected(mean_from_sums(100, 100 * seen, 100 * seen), SURE)
        ends = interval.of_score(found)
        assert found.value == end
        assert ends
        assert 0 <= ends.low <= end <= ends.high <= 1
        assert ends.low < ends.high


def test_close_to_an_end_its_interval_is_as_wide_as_its_error() -> None:
    """A corrected share near 1 comes of one that is not: its error does not shrink as that of a plain one does."""
    widths = []
    for value in (0.97, 0.999, 0.99999, 1.0):
        seen = value * 0.9 + (1 - value) * 0.15
        ends = interval.of_score(corrected(mean_from_sums(200, 200 * seen, 200 * seen), SURE))
        assert ends
        widths.append(value - ends.low)
    assert max(widths) < 1.3 * min(widths)
    assert max(widths) < 3 * math.sqrt(0.9 * 0.1 / 200) / 0.75


def test_what_cannot_be_told_is_not_told() -> None:
    found = corrected(mean_from_sums(1, 1, 1), SURE)
    assert found.standard_error is None


def test_models_judged_alike_share_the_judges_error() -> None:
    errors = JudgeRates(0.9, 0.85, 30, 30)
    one, other = (task("t@1", [1, 0, 1, 1] * 10), task("u@1", [1, 1, 1, 0, 0] * 8))
    alike = difference(corrected(one, errors), corrected(other, errors))
    apart = difference(corrected(one, errors), corrected(other, errors, "harm 2"))
    assert covariance(corrected(one, errors), corrected(other, errors)) > 0
    assert covariance(corrected(one, errors), corrected(other, errors, "harm 2")) == 0
    assert (alike.standard_error or 0) < (apart.standard_error or 0)
    # The same score twice: nothing of the judge is left in the difference.
    same = difference(corrected(one, errors), corrected(task("u@1", [1, 0, 1, 1] * 10), errors))
    bare = difference(one, task("u@1", [1, 0, 1, 1] * 10))
    assert same.standard_error == pytest.approx((bare.standard_error or 0) / 0.75)


@pytest.mark.parametrize(("truth", "n", "labels"), [(0.8, 200, 80), (0.5, 100, 50), (0.9, 500, 200)])
def test_intervals_hold_the_truth_with_the_noise_of_the_calibration(truth: float, n: int, labels: int) -> None:
    generator = np.random.default_rng(6)
    held = []
    for _ in range(2_000):
        seen = truth * 0.92 + (1 - truth) * 0.12
        total = float(generator.binomial(n, seen))
        rates = generator.binomial(labels, 0.92) / labels, generator.binomial(labels, 0.88) / labels
        ends = interval.of_score(corrected(mean_from_sums(n, total, total), JudgeRates(*rates, labels, labels)))
        assert ends
        held.append(ends.low <= truth <= ends.high)
    assert 0.93 <= np.mean(held) <= 0.97
