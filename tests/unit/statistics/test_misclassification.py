from __future__ import annotations

import math

import numpy as np
import pytest

from libra.statistics import interval
from libra.statistics.influence import average, covariance, difference, limited, mean, mean_from_sums
from libra.statistics.misclassification import FilteredTrials, JudgeRates, correct_sums, correct_trials, rogan_gladen
from libra.statistics.score import Score, TrialsBySample

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
        found = limited(corrected(mean_from_sums(100, 100 * seen, 100 * seen), EXACT_RATES))
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


def test_scores_are_cut_after_averaging() -> None:
    """Ten tasks of 20 samples whose true score is 0.99: cut one by one, 0.77 of the intervals contained it."""
    generator = np.random.default_rng(7)
    rates = JudgeRates(0.95, 0.9, 2_000, 2_000)
    seen = 0.99 * 0.95 + 0.01 * 0.1
    contained, means = [], []
    for _ in range(1_000):
        sums = generator.binomial(20, seen, 10)
        mean = limited(average([corrected(mean_from_sums(20, float(each), float(each)), rates) for each in sums]))
        ends = interval.of_score(mean)
        assert ends
        contained.append(ends.low <= 0.99 <= ends.high)
        means.append(mean.value)
    assert 0.93 <= np.mean(contained) <= 0.98
    assert np.mean(means) == pytest.approx(0.985, abs=0.01)


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


def filtered_draws(generator: np.random.Generator, truth: float, n: int, share: float, score: float) -> np.ndarray:
    """Return the scores of n trials, of which a share is FILTERED with this score: rows of score and FILTERED."""
    seen = truth * 0.92 + (1 - truth) * 0.12
    is_filtered = generator.random(n) < share
    return np.stack([np.where(is_filtered, score, generator.random(n) < seen), is_filtered])


@pytest.mark.parametrize(
    ("truth", "n", "share", "score"),
    [(0.8, 200, 0.3, 1.0), (0.5, 100, 0.6, 1.0), (0.9, 400, 0.9, 1.0), (0.7, 200, 0.3, 0.0), (0.95, 100, 0.5, 1.0)],
)
@pytest.mark.parametrize("by_sample", [False, True], ids=["from sums", "by sample"])
def test_intervals_contain_the_truth_if_some_answers_were_filtered(
    truth: float, n: int, share: float, score: float, *, by_sample: bool
) -> None:
    """FILTERED answers have their true score already: only the others are corrected."""
    generator = np.random.default_rng(8)
    whole_truth = (1 - share) * truth + share * score
    contained = []
    for _ in range(2_000):
        scores, is_filtered = filtered_draws(generator, truth, n, share, score)
        rates = JudgeRates(generator.binomial(80, 0.92) / 80, generator.binomial(80, 0.88) / 80, 80, 80)
        if by_sample:
            trials = TrialsBySample("t@1", range(n), [1] * n, scores.tolist())
            filtered = FilteredTrials(is_filtered.astype(int).tolist(), (scores * is_filtered).tolist())
            found = correct_trials(trials, filtered, rates, "harm 1")
        else:
            sums = int(is_filtered.sum()), float((scores * is_filtered).sum())
            found = correct_sums(n, float(scores.sum()), *sums, rates, "harm 1")
        assert found
        ends = interval.of_score(found)
        assert ends
        contained.append(ends.low <= whole_truth <= ends.high)
    assert 0.93 <= np.mean(contained) <= 0.97


def test_filtered_answers_are_not_corrected() -> None:
    """Of 100 answers, a filter refused 80. Of the other 20, the judge calls 12 positive: (0.6 - 0.15) / 0.75 = 0.6."""
    found = correct_sums(100, 92, 80, 80, EXACT_RATES, "harm 1")
    assert found
    assert found.value == pytest.approx(0.8 * 1 + 0.2 * 0.6)
    assert corrected(mean_from_sums(100, 92, 92), EXACT_RATES).value == pytest.approx((0.92 - 0.15) / 0.75)


def test_a_task_of_filtered_answers_alone_keeps_its_score() -> None:
    found = correct_sums(40, 30, 40, 30, JudgeRates(0.9, 0.85, 30, 30), "harm 1")
    plain = mean_from_sums(40, 30, 30)
    assert found
    assert plain
    assert found.value == pytest.approx(0.75)
    assert found.standard_error == pytest.approx(plain.standard_error)


def test_without_filtered_answers_the_correction_is_the_plain_one() -> None:
    rates, scores = JudgeRates(0.9, 0.85, 40, 60), [1.0] * 70 + [0.0] * 30
    trials = TrialsBySample("t@1", range(100), [1] * 100, scores)
    for plain, found in (
        (mean(trials), correct_trials(trials, FilteredTrials([0] * 100, [0.0] * 100), rates, "harm 1")),
        (mean_from_sums(100, 70, 70), correct_sums(100, 70, 0, 0.0, rates, "harm 1")),
    ):
        assert found
        expected = corrected(plain, rates)
        assert found.value == pytest.approx(expected.value)
        assert found.standard_error == pytest.approx(expected.standard_error)
        ends, expected_ends = interval.of_score(found), interval.of_score(expected)
        assert ends
        assert expected_ends
        assert ends.low == pytest.approx(expected_ends.low)
        assert ends.high == pytest.approx(expected_ends.high)


def test_the_error_of_the_rates_acts_on_the_share_that_the_judge_scored() -> None:
    few_labels, many_labels = JudgeRates(0.9, 0.85, 30, 30), JudgeRates(0.9, 0.85, 10**9, 10**9)
    extra = []
    for filtered in (0, 900):
        found = [
            correct_sums(1000, 0.6 * (1000 - filtered), filtered, 0.0, each, "j") for each in (few_labels, many_labels)
        ]
        variances = [(each.standard_error or 0) ** 2 for each in found if each]
        extra.append(math.sqrt(variances[0] - variances[1]))
    assert extra[1] == pytest.approx(0.1 * extra[0])


def test_a_judge_no_better_than_chance_corrects_nothing_beside_filtered_answers_either() -> None:
    rates = JudgeRates(0.5, 0.5, 50, 50)
    assert correct_sums(10, 5, 2, 2, rates, "coin 1") is None
    trials = TrialsBySample("t@1", range(2), [1, 1], [1, 0])
    assert correct_trials(trials, FilteredTrials([1, 0], [1.0, 0.0]), rates, "coin 1") is None
