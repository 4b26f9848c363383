from __future__ import annotations

import math
from array import array
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.ranking.board.scores import (
    Basis,
    all_or_nothing,
    calibration_of,
    corrected,
    errors_of,
    imported,
    mean_of,
    of_cell,
)
from libra.statistics.influence import Score, covariance
from libra.store.cells import Cell
from libra.store.sample_sums import SampleSums
from libra.v1.calibration_pb2 import Calibration
from libra.v1.ranking_pb2 import Capability
from libra.v1.verdict_pb2 import JudgeVersion

from .cells import JUDGE, cell

CALIBRATION = Calibration(
    judge=JudgeVersion(name=JUDGE[0], version=JUDGE[1], rubric_hash=JUDGE[2]),
    labels="refusal.csv",
    true_positives=45,
    false_negatives=5,
    true_negatives=38,
    false_positives=2,
)
"""Sensitivity 0.9, specificity 0.95."""


def taken_apart(made: Cell, *samples: tuple[int, list[float]]) -> tuple[Cell, SampleSums]:
    """The cell of trials with these scores by sample, and its sums."""
    scores = [score for _, of_sample in samples for score in of_sample]
    sums = SampleSums(
        array("i", [ordinal for ordinal, _ in samples]),
        array("i", [len(of_sample) for _, of_sample in samples]),
        array("d", [math.fsum(of_sample) for _, of_sample in samples]),
    )
    squares = math.fsum(score * score for score in scores)
    return replace(made, n=len(scores), sum=math.fsum(scores), sum_squares=squares, scored=len(scores)), sums


def known(score: Score | None) -> tuple[Score, float]:
    """The score, and its standard error, both there."""
    assert score is not None
    assert score.standard_error is not None
    return score, score.standard_error


@given(st.lists(st.floats(0, 1, allow_subnormal=False), min_size=2, max_size=40))
def test_with_one_trial_a_sample_the_error_is_the_same_with_its_sums_and_without(values: list[float]) -> None:
    made, sums = taken_apart(cell(), *((ordinal, [value]) for ordinal, value in enumerate(values)))
    alone, error = known(of_cell(made))
    with_sums, clustered = known(of_cell(made, Basis({made.key: sums})))
    assert with_sums.value == pytest.approx(alone.value)
    assert with_sums.n == alone.n == len(values)
    assert clustered == pytest.approx(error, abs=1e-7)


def test_repeats_of_a_sample_are_no_new_samples() -> None:
    once, of_once = taken_apart(cell(), *((ordinal, [float(ordinal % 2)]) for ordinal in range(10)))
    fourfold, of_fourfold = taken_apart(cell(), *((ordinal, [float(ordinal % 2)] * 4) for ordinal in range(10)))
    _, error = known(of_cell(once, Basis({once.key: of_once})))
    _, clustered = known(of_cell(fourfold, Basis({fourfold.key: of_fourfold})))
    _, naive = known(of_cell(fourfold))
    assert clustered == pytest.approx(error)
    assert naive < 0.6 * clustered


def test_a_task_under_two_attacks_stands_on_the_same_samples() -> None:
    samples = [(ordinal, [float(ordinal % 2)]) for ordinal in range(10)]
    plain, of_plain = taken_apart(cell(attack="few_shots"), *samples)
    other, of_other = taken_apart(cell(attack="ciphering"), *samples)
    basis = Basis({plain.key: of_plain, other.key: of_other})
    parts = [of_cell(plain, basis), of_cell(other, basis)]
    _, one = known(parts[0])
    _, both = known(mean_of(parts))
    assert both == pytest.approx(one)
    _, apart = known(mean_of([of_cell(plain), of_cell(other)]))
    assert apart == pytest.approx(one / math.sqrt(2))


def test_samples_of_two_tasks_have_nothing_in_common() -> None:
    samples = [(ordinal, [float(ordinal % 2)]) for ordinal in range(10)]
    one, of_one = taken_apart(cell(task="harm@1"), *samples)
    two, of_two = taken_apart(cell(task="harm@2"), *samples)
    basis = Basis({one.key: of_one, two.key: of_two})
    first, second = of_cell(one, basis), of_cell(two, basis)
    assert first
    assert second
    assert covariance(first, second) == 0


def test_a_cell_without_scores_has_none() -> None:
    assert of_cell(cell(n=0, failed=3)) is None
    assert mean_of([None, None]) is None
    single = of_cell(cell(n=1))
    assert single
    assert single.standard_error is None


def test_a_judges_errors_are_taken_out() -> None:
    made = replace(cell(n=100), sum=73.0, sum_squares=73.0)
    basis = Basis(calibrations={JUDGE: CALIBRATION})
    raw, error = known(of_cell(made))
    right, widened = known(corrected(raw, made, basis))
    assert right.value == pytest.approx((0.73 + 0.95 - 1) / (0.9 + 0.95 - 1))
    assert widened > error / 0.85


def test_what_cannot_be_corrected_is_not() -> None:
    made = replace(cell(n=100), sum=73.0, sum_squares=73.0)
    basis = Basis(calibrations={JUDGE: CALIBRATION})
    raw = of_cell(made)
    other = replace(made, judges=(("refusal", "2", "bbbbbbbbbbbb"),))
    assert calibration_of(other, basis) is None
    assert corrected(raw, other, basis) is None
    assert corrected(raw, replace(made, judges=(JUDGE, *other.judges)), basis) is None
    assert corrected(None, made, basis) is None
    graded = replace(made, sum_squares=60.0)
    assert not all_or_nothing(graded)
    assert corrected(raw, graded, basis) is None
    one_kind = Calibration(judge=CALIBRATION.judge, true_positives=9, false_negatives=1)
    assert errors_of(one_kind) is None
    assert corrected(raw, made, Basis(calibrations={JUDGE: one_kind})) is None
    blind = Calibration(true_positives=5, false_negatives=5, true_negatives=5, false_positives=5)
    assert corrected(raw, made, Basis(calibrations={JUDGE: blind})) is None


def test_an_imported_figure_is_as_sure_as_it_says() -> None:
    _, error = known(imported(Capability(value=0.7, standard_error=0.01)))
    assert error == pytest.approx(0.01)
    assert imported(Capability(value=0.7)).standard_error is None
