from __future__ import annotations

import math
from array import array
from dataclasses import replace
from statistics import variance

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.ranking.board.judge_correction import correct_score, error_rates, explain_uncorrected, find_calibration
from libra.ranking.board.scores import ScoreInputs, has_binary_scores, mean_score, score_cell, score_figure
from libra.statistics import interval
from libra.statistics.influence import covariance
from libra.statistics.score import Score
from libra.store.sums.cells import Cell
from libra.store.sums.label_sums import LabelSums
from libra.store.sums.sample_sums import SampleSums
from libra.v1.calibration_pb2 import Calibration
from libra.v1.ranking_pb2 import Capability

from .cells import CALIBRATION, JUDGE, cell


def with_samples(made: Cell, *samples: tuple[int, list[float]]) -> tuple[Cell, SampleSums]:
    """Return the cell with these scores by sample, and its sums."""
    scores = [score for _, of_sample in samples for score in of_sample]
    sums = SampleSums(
        array("i", [ordinal for ordinal, _ in samples]),
        array("i", [len(of_sample) for _, of_sample in samples]),
        array("d", [math.fsum(of_sample) for _, of_sample in samples]),
    )
    squares = math.fsum(score * score for score in scores)
    return replace(made, n=len(scores), sum=math.fsum(scores), sum_squares=squares, scored=len(scores)), sums


def known(score: Score | None) -> tuple[Score, float]:
    """Return the score and its standard error; both must exist."""
    assert score is not None
    assert score.standard_error is not None
    return score, score.standard_error


@given(st.lists(st.floats(0, 1, allow_subnormal=False), min_size=2, max_size=40))
def test_with_one_trial_for_each_sample_the_clustered_error_is_the_plain_one(values: list[float]) -> None:
    made, sums = with_samples(cell(), *((ordinal, [value]) for ordinal, value in enumerate(values)))
    alone, error = known(score_cell(made))
    with_sums, clustered = known(score_cell(made, ScoreInputs({made.key: sums})))
    assert with_sums.value == pytest.approx(alone.value)
    assert with_sums.n == alone.n == len(values)
    assert clustered == pytest.approx(error, abs=1e-7)


def test_repeats_of_a_sample_do_not_reduce_the_error() -> None:
    once, of_once = with_samples(cell(), *((ordinal, [float(ordinal % 2)]) for ordinal in range(10)))
    fourfold, of_fourfold = with_samples(cell(), *((ordinal, [float(ordinal % 2)] * 4) for ordinal in range(10)))
    _, error = known(score_cell(once, ScoreInputs({once.key: of_once})))
    _, clustered = known(score_cell(fourfold, ScoreInputs({fourfold.key: of_fourfold})))
    _, naive = known(score_cell(fourfold))
    assert clustered == pytest.approx(error)
    assert naive < 0.6 * clustered


def test_a_task_under_two_attacks_has_the_same_samples() -> None:
    samples = [(ordinal, [float(ordinal % 2)]) for ordinal in range(10)]
    plain, of_plain = with_samples(cell(attack="few_shots"), *samples)
    other, of_other = with_samples(cell(attack="ciphering"), *samples)
    inputs = ScoreInputs({plain.key: of_plain, other.key: of_other})
    parts = [score_cell(plain, inputs), score_cell(other, inputs)]
    _, one = known(parts[0])
    _, both = known(mean_score(parts))
    assert both == pytest.approx(one)
    _, apart = known(mean_score([score_cell(plain), score_cell(other)]))
    assert apart == pytest.approx(one / math.sqrt(2))


def test_scores_on_the_samples_of_two_tasks_are_independent() -> None:
    samples = [(ordinal, [float(ordinal % 2)]) for ordinal in range(10)]
    one, of_one = with_samples(cell(task="harm@1"), *samples)
    two, of_two = with_samples(cell(task="harm@2"), *samples)
    inputs = ScoreInputs({one.key: of_one, two.key: of_two})
    first, second = score_cell(one, inputs), score_cell(two, inputs)
    assert first
    assert second
    assert covariance(first, second) == 0


def test_a_cell_without_trials_has_no_score() -> None:
    assert score_cell(cell(n=0, failed=3)) is None
    assert mean_score([None, None]) is None
    single = score_cell(cell(n=1))
    assert single
    assert single.standard_error is None


def test_a_score_is_corrected_for_the_errors_of_its_judge() -> None:
    made = replace(cell(n=100), sum=73.0, sum_squares=73.0)
    inputs = ScoreInputs(calibrations={JUDGE: CALIBRATION})
    raw, error = known(score_cell(made))
    right, widened = known(correct_score(raw, made, inputs))
    assert right.value == pytest.approx((0.73 + 0.95 - 1) / (0.9 + 0.95 - 1))
    assert widened > error / 0.85


def test_a_score_without_measured_errors_or_binary_scores_is_not_corrected() -> None:
    made = replace(cell(n=100), sum=73.0, sum_squares=73.0)
    inputs = ScoreInputs(calibrations={JUDGE: CALIBRATION})
    raw = score_cell(made)
    other = replace(made, judges=(("refusal", "2", "bbbbbbbbbbbb"),))
    assert find_calibration(other, inputs) is None
    assert correct_score(raw, other, inputs) is None
    assert correct_score(raw, replace(made, judges=(JUDGE, *other.judges)), inputs) is None
    assert correct_score(None, made, inputs) is None
    graded = replace(made, sum_squares=60.0)
    assert not has_binary_scores(graded)
    assert correct_score(raw, graded, inputs) is None
    one_label = Calibration(judge=CALIBRATION.judge, true_positives=9, false_negatives=1)
    assert error_rates(one_label) is None
    assert correct_score(raw, made, ScoreInputs(calibrations={JUDGE: one_label})) is None
    chance = Calibration(true_positives=5, false_negatives=5, true_negatives=5, false_positives=5)
    assert correct_score(raw, made, ScoreInputs(calibrations={JUDGE: chance})) is None


def test_an_imported_figure_has_its_published_error() -> None:
    _, error = known(score_figure(Capability(value=0.7, standard_error=0.01)))
    assert error == pytest.approx(0.01)
    assert score_figure(Capability(value=0.7)).standard_error is None


def balanced(made: Cell, **labels: list[float]) -> tuple[Cell, SampleSums]:
    """Return the cell with one trial for each of these scores, by gold label, and its sums by sample."""
    scores = [score for of_label in labels.values() for score in of_label]
    made, sums = with_samples(made, *((ordinal, [score]) for ordinal, score in enumerate(scores)))
    names = tuple(label for label, of_label in labels.items() for _ in of_label)
    by_label = {
        label: LabelSums(len(each), math.fsum(each), math.fsum(score * score for score in each))
        for label, each in labels.items()
    }
    return replace(made, labels=by_label), replace(sums, labels=names)


def test_a_constant_answer_scores_a_half_on_a_balanced_task_of_two_labels() -> None:
    made, sums = balanced(cell(), yes=[1.0] * 45, no=[0.0] * 5)
    for inputs in (ScoreInputs(), ScoreInputs({made.key: sums})):
        found = score_cell(made, inputs)
        assert found
        assert found.value == pytest.approx(0.5)
        ends = interval.of_score(found)
        assert ends
        assert ends.low < 0.4
        assert ends.high > 0.6


def test_the_variance_of_a_balanced_score_is_the_stratified_one() -> None:
    yes, no = [1.0] * 30 + [0.0] * 10, [1.0] * 6 + [0.0] * 2
    made, sums = balanced(cell(), yes=yes, no=no)
    expected = math.sqrt((variance(yes) / 40 + variance(no) / 8) / 4)
    for inputs in (ScoreInputs(), ScoreInputs({made.key: sums})):
        found, error = known(score_cell(made, inputs))
        assert found.value == pytest.approx(0.75)
        assert error == pytest.approx(expected)
        assert found.n == 48


def test_a_balanced_score_under_two_attacks_has_the_same_samples() -> None:
    one, of_one = balanced(cell(attack="few_shots"), yes=[1.0, 0.0] * 5, no=[0.0, 1.0] * 5)
    two, of_two = balanced(cell(attack="ciphering"), yes=[1.0, 0.0] * 5, no=[0.0, 1.0] * 5)
    inputs = ScoreInputs({one.key: of_one, two.key: of_two})
    parts = [score_cell(one, inputs), score_cell(two, inputs)]
    _, error = known(parts[0])
    _, both = known(mean_score(parts))
    assert both == pytest.approx(error)


def test_a_cell_without_all_its_labels_has_the_plain_mean() -> None:
    made, _ = balanced(cell(), yes=[1.0] * 45, no=[0.0] * 5)
    partial = replace(made, labels={"yes": made.labels["yes"]})
    found = score_cell(partial)
    assert found
    assert found.value == pytest.approx(0.9)


def test_a_balanced_score_is_corrected_label_by_label() -> None:
    made, sums = balanced(cell(), yes=[1.0] * 60 + [0.0] * 20, no=[1.0] * 10 + [0.0] * 10)
    calibrated = {JUDGE: CALIBRATION}
    for inputs in (ScoreInputs(calibrations=calibrated), ScoreInputs({made.key: sums}, calibrations=calibrated)):
        found, _ = known(correct_score(score_cell(made, inputs), made, inputs))
        assert found.value == pytest.approx((0.625 + 0.95 - 1) / (0.9 + 0.95 - 1))


def test_filtered_answers_are_left_as_they_are_by_the_correction() -> None:
    made, sums = with_samples(cell(), *((ordinal, [float(ordinal < 92)]) for ordinal in range(100)))
    made = replace(made, scored=20, filtered=80, filtered_n=80, filtered_sum=80.0)
    is_filtered = array("i", [1] * 80 + [0] * 20)
    sums = replace(sums, filtered_counts=is_filtered, filtered_sums=array("d", is_filtered))
    calibrated = {JUDGE: CALIBRATION}
    expected = 0.8 + 0.2 * (0.6 + 0.95 - 1) / (0.9 + 0.95 - 1)
    for inputs in (ScoreInputs(calibrations=calibrated), ScoreInputs({made.key: sums}, calibrations=calibrated)):
        found, _ = known(correct_score(score_cell(made, inputs), made, inputs))
        assert found.value == pytest.approx(expected)


def test_a_cell_of_an_earlier_version_with_filtered_answers_is_not_corrected_and_says_why() -> None:
    made, _ = with_samples(cell(), *((ordinal, [1.0]) for ordinal in range(10)))
    made = replace(made, scored=6, filtered=4)
    inputs = ScoreInputs(calibrations={JUDGE: CALIBRATION})
    assert correct_score(score_cell(made), made, inputs) is None
    assert "did not sum the scores of its FILTERED answers" in explain_uncorrected(made, inputs)
