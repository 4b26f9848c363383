from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from libra.statistics import interval
from libra.statistics.influence import average, difference, limited, mean
from libra.statistics.prediction_powered import LabelledTrials, prediction_powered_mean, tune_slopes
from libra.statistics.score import Score, TrialsBySample

JUDGED = [1, 1, 1, 0, 0, 1, 0, 1, 1, 0, 1, 1]
LABELS = [1, 1, 0, 0, 0, 1, 1, 1, 1, 0, 1, 0]
UNLABELLED = [1] * 17 + [0] * 11
PPI_PY = {1.0: (0.52380952, 0.16962669), 0.5: (0.55357143, 0.13324656), 0.0: (0.58333333, 0.14231876)}
"""By lambda, the mean and the standard error that ppi_py 0.2.3, the package of the paper's authors, gives for these."""


def trials(scores: Sequence[float], task: str = "t@1") -> TrialsBySample:
    return TrialsBySample(task, range(len(scores)), [1] * len(scores), scores)


def powered(
    judged: Sequence[float], labels: Sequence[float], ordinals: Sequence[int] | None = None, task: str = "t@1"
) -> Score:
    """Return the mean if these samples, the first ones by default, have labels."""
    labelled = range(len(labels)) if ordinals is None else ordinals
    found = prediction_powered_mean(
        trials(judged, task), LabelledTrials(labelled, [judged[each] for each in labelled], labels)
    )
    assert found
    return found


@pytest.mark.parametrize("tuning", PPI_PY)
def test_the_mean_and_its_error_are_those_of_the_authors_package_for_every_fixed_slope(tuning: float) -> None:
    """Their lambda weighs the answers without a label, ours all answers: it is smaller by N / (n + N)."""
    judged, labels, others = (np.array(each, dtype=float) for each in (JUDGED, LABELS, UNLABELLED))
    n, unlabelled = len(labels), len(others)
    ours = tuning * (n + unlabelled) / unlabelled
    everything = np.concatenate([judged, others])
    value = float((labels - ours * (judged - everything.mean())).mean())
    assert value == pytest.approx(PPI_PY[tuning][0], abs=1e-8)
    variance = (tuning * others).var() / unlabelled + (labels - tuning * judged).var() / n
    assert np.sqrt(variance) == pytest.approx(PPI_PY[tuning][1], abs=1e-8)


def test_for_many_labels_the_tuned_mean_and_its_error_are_those_of_the_formulas_of_the_paper() -> None:
    """Section 6 of arXiv 2311.01453, for the mean: lambda = cov(y, f) / ((1 + n / N) var(f))."""
    generator = np.random.default_rng(5)
    size, n = 40_000, 8_000
    labels = (generator.random(size) < 0.7).astype(float)
    judged = np.where(generator.random(size) < np.where(labels > 0, 0.85, 0.1), 1.0, 0.0)
    found = powered(judged.tolist(), labels[:n].tolist())
    others = judged[n:]
    tuning = np.cov(labels[:n], judged[:n])[0, 1] / ((1 + n / (size - n)) * judged.var())
    value = float(tuning * others.mean() + (labels[:n] - tuning * judged[:n]).mean())
    variance = (tuning * others).var() / (size - n) + (labels[:n] - tuning * judged[:n]).var() / n
    assert found.value == pytest.approx(value, abs=2e-4)
    assert found.standard_error == pytest.approx(np.sqrt(variance), rel=0.01)
    assert (found.standard_error or 0) < 0.8 * np.sqrt(labels[:n].var() / n)


def test_a_slope_is_the_regression_on_the_other_labels_and_one_pseudo_label() -> None:
    judged, labels = np.array([1.0, 1, 0, 0, 1]), np.array([1.0, 1, 0, 1, 0])
    expected = []
    for left_out in range(5):
        f, y = np.delete(judged, left_out), np.delete(labels, left_out)
        expected.append(((f - f.mean()) @ (y - y.mean())) / ((f - f.mean()) @ (f - f.mean()) + 1))
    assert tune_slopes(judged, labels) == pytest.approx(expected)
    assert tune_slopes(np.ones(5), labels) == pytest.approx(np.zeros(5))


def test_a_judge_that_says_nothing_leaves_the_mean_of_the_labels() -> None:
    labels = [1.0, 0.0, 1.0, 1.0] * 10
    found = powered([1.0] * 400, labels)
    assert found.value == pytest.approx(0.75)
    ends, alone = interval.of_score(found), interval.of_score(mean(trials(labels)) or found)
    assert ends
    assert alone
    assert ends.high - ends.low == pytest.approx(alone.high - alone.low, rel=0.1)


def test_labels_of_all_trials_replace_the_scores_of_the_judge() -> None:
    labels = [1.0, 0.0, 0.0, 1.0, 0.5]
    found, expected = powered([1.0] * 5, labels), mean(trials(labels))
    assert expected
    assert found.value == expected.value
    assert found.standard_error == pytest.approx(expected.standard_error)


def test_trials_that_are_right_by_definition_count_without_a_label() -> None:
    judged, labels = [1.0, 0.0] * 50, [1.0] * 40
    known = TrialsBySample("t@1", range(100, 200), [1] * 100, [0.0] * 100)
    labelled = LabelledTrials(range(40), judged[:40], labels)
    found = prediction_powered_mean(trials(judged), labelled, known)
    assert found
    assert found.n == 200
    assert found.value == pytest.approx(powered(judged, labels).value / 2)
    assert found.value == pytest.approx(0.5)


def test_two_labels_give_no_mean_and_epochs_of_a_sample_are_one_cluster() -> None:
    judged = TrialsBySample("t@1", range(50), [2] * 50, [1.0] * 50)
    assert prediction_powered_mean(judged, LabelledTrials([0, 1], [1, 0], [1, 0])) is None
    ordinals = [each // 2 for each in range(60)]
    twice = prediction_powered_mean(judged, LabelledTrials(ordinals, [1.0, 0.0] * 30, [1.0, 1.0, 0.0, 0.0] * 15))
    mixed = prediction_powered_mean(judged, LabelledTrials(ordinals, [1.0, 0.0] * 30, [1.0, 0.0, 0.0, 1.0] * 15))
    assert twice
    assert mixed
    assert (twice.standard_error or 0) > 3 * (mixed.standard_error or 0)


def test_equal_labels_do_not_make_a_score_certain() -> None:
    ends = interval.of_score(powered([1.0] * 380 + [0.0] * 20, [1.0] * 30))
    assert ends
    assert ends.low == pytest.approx(interval.wilson(30, 30).low, abs=1e-9)


def simulate(
    generator: np.random.Generator, truth: float, rates: tuple[float, float], sizes: tuple[int, int], name: str
) -> Score:
    """Return the score of a task whose judge has this sensitivity and specificity; `sizes` are trials and labels."""
    right = generator.random(sizes[0]) < truth
    judged = np.where(right, generator.random(sizes[0]) < rates[0], generator.random(sizes[0]) >= rates[1])
    drawn = generator.choice(sizes[0], sizes[1], replace=False)
    return powered(judged.astype(float).tolist(), right[drawn].astype(float).tolist(), drawn.tolist(), name)


@pytest.mark.parametrize("beta", [(19, 1), (9, 2), (2, 1)], ids=["near one", "high", "anywhere"])
@pytest.mark.parametrize("labels", [30, 50, 100])
def test_intervals_contain_the_truth_for_every_judge_and_number_of_labels(
    beta: tuple[float, float], labels: int
) -> None:
    """One interval for each of two sensitivities, in turns."""
    generator = np.random.default_rng(11)
    contained, errors = [], []
    for board in range(1_200):
        truth = float(np.clip(generator.beta(*beta), 1e-4, 1 - 1e-4))
        score = simulate(generator, truth, ((0.95, 0.9), (0.80, 0.9))[board % 2], (300, labels), "t@1")
        ends = interval.of_score(limited(score))
        assert ends
        contained.append(ends.low <= truth <= ends.high)
        errors.append(score.value - truth)
    assert 0.93 <= np.mean(contained) <= 0.97
    assert abs(np.mean(errors)) < 3 * np.std(errors) / np.sqrt(len(errors))


@pytest.mark.parametrize("labels", [30, 60])
def test_means_of_tasks_contain_the_truth_and_equal_models_rarely_differ(labels: int) -> None:
    """The judge finds 95 of 100 right answers of one model, and 80 of 100 of the other."""
    generator, boards = np.random.default_rng(12), 600
    contained, differs = [], []
    for _ in range(boards):
        truths = generator.beta(9, 2, 5)
        models = [
            average(
                [simulate(generator, t, (rate, 0.9), (300, labels), f"{i}@1") for i, t in enumerate(truths.tolist())]
            )
            for rate in (0.95, 0.80)
        ]
        for each in models:
            ends = interval.of_score(limited(each))
            assert ends
            contained.append(ends.low <= truths.mean() <= ends.high)
        gap = interval.of_difference(*map(limited, models))
        assert gap
        differs.append(not gap.low <= 0 <= gap.high)
    assert 0.93 <= np.mean(contained) <= 0.97
    # Five in a hundred, and twice the error of a share of this many boards.
    assert np.mean(differs) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / boards)


def test_models_that_answer_the_same_samples_share_their_errors() -> None:
    labels = [1.0, 0.0, 1.0, 1.0, 0.0, 1.0] * 10
    judged = [*labels, *([1.0, 0.0] * 100)]
    one, other = powered(judged, labels), powered(judged, labels)
    assert difference(one, other).standard_error == pytest.approx(0)
    apart = powered(judged, labels, task="u@1")
    assert (difference(one, apart).standard_error or 0) > (one.standard_error or 0)
