from __future__ import annotations

import math
from itertools import permutations, starmap

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.statistics import agreement, interval
from libra.statistics.agreement import Confusion

FOUR_OBSERVERS: list[list[float | None]] = [
    [1, 1, None, 1],
    [2, 2, 3, 2],
    [3, 3, 3, 3],
    [3, 3, 3, 3],
    [2, 2, 2, 2],
    [1, 2, 3, 4],
    [4, 4, 4, 4],
    [1, 1, 2, 1],
    [2, 2, 2, 2],
    [None, 5, 5, 5],
    [None, None, 1, 1],
    [None, None, 3, None],
]
"""Twelve units by four observers: example C of "Computing Krippendorff's Alpha-Reliability" (2011)."""


def test_answers_are_counted_by_both_labels() -> None:
    found = agreement.confusion([True, True, False, False, True], [True, False, False, True, True])
    assert found == Confusion(tp=2, fp=1, tn=1, fn=1)
    with pytest.raises(ValueError, match=r"shorter|longer"):
        agreement.confusion([True], [])


def value(rate: agreement.Rate | None) -> float:
    assert rate
    assert rate.low <= rate.value + 1e-12
    assert rate.value <= rate.high + 1e-12
    return rate.value


def test_each_rate_is_a_share_with_the_wilson_interval() -> None:
    counts = Confusion(tp=40, fp=10, tn=30, fn=20)
    shares = {
        agreement.accuracy: (70, 100),
        agreement.precision: (40, 50),
        agreement.recall: (40, 60),
        agreement.specificity: (30, 40),
    }
    for rate, (part, whole) in shares.items():
        ends, found = interval.wilson(part, whole), rate(counts)
        assert found == agreement.Rate(part / whole, ends.low, ends.high)


@given(st.integers(1, 50), st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_f1_is_the_harmonic_mean_of_precision_and_recall(tp: int, fp: int, tn: int, fn: int) -> None:
    counts = Confusion(tp, fp, tn, fn)
    precision, recall = value(agreement.precision(counts)), value(agreement.recall(counts))
    assert value(agreement.f1(counts)) == pytest.approx(2 * precision * recall / (precision + recall))


def test_the_interval_of_f1_is_that_of_a_share_transformed() -> None:
    found, ends = agreement.f1(Confusion(tp=30, fp=10, tn=0, fn=20)), interval.wilson(30, 60)
    assert found
    assert found.low == pytest.approx(2 * ends.low / (1 + ends.low))
    assert found.high == pytest.approx(2 * ends.high / (1 + ends.high))


def test_a_rate_of_no_answers_is_none() -> None:
    nothing = Confusion(0, 0, 0, 0)
    for rate in (
        agreement.accuracy,
        agreement.precision,
        agreement.recall,
        agreement.specificity,
        agreement.f1,
        agreement.cohen_kappa,
    ):
        assert rate(nothing) is None
    assert agreement.precision(Confusion(0, 0, 5, 5)) is None
    assert agreement.f1(Confusion(0, 0, 5, 5)) is None
    assert agreement.recall(Confusion(0, 5, 5, 0)) is None
    assert agreement.specificity(Confusion(5, 0, 0, 5)) is None
    assert agreement.cohen_kappa(Confusion(5, 0, 0, 5)) is None
    assert value(agreement.f1(Confusion(0, 5, 5, 5))) == 0


@pytest.mark.parametrize(
    ("table", "kappa", "error"),
    [
        # Fleiss, Cohen and Everitt 1969, N = 200: kappa 0.429, its variance 0.002885.
        ([[106, 10, 4], [22, 28, 10], [2, 12, 6]], 0.429, math.sqrt(0.002885)),
        # Fleiss, Levin and Paik 2003, Statistical Methods for Rates and Proportions, table 18.1.
        ([[75, 1, 4], [5, 4, 1], [0, 0, 10]], 0.676, 0.088),
    ],
)
def test_kappa_and_its_error_match_published_values(table: list[list[float]], kappa: float, error: float) -> None:
    value, standard_error = agreement.kappa_and_error(table)
    assert value == pytest.approx(kappa, abs=6e-4)
    assert standard_error == pytest.approx(error, abs=5e-4)


def test_kappa_of_two_labels() -> None:
    """Observed agreement is 35 of 50, and agreement by chance one half: (0.7 - 0.5) / 0.5 = 0.4."""
    counts = Confusion(tp=20, fp=5, tn=15, fn=10)
    found, error = agreement.cohen_kappa(counts), agreement.kappa_and_error([[20, 5], [10, 15]])[1]
    assert found
    assert found.value == pytest.approx(0.4)
    assert found.high - found.low == pytest.approx(2 * interval.Z * error, rel=0.05)


def test_perfect_agreement_on_few_answers_has_a_wide_interval() -> None:
    found = agreement.cohen_kappa(Confusion(tp=10, fp=0, tn=10, fn=0))
    assert found
    assert found.value == found.high == 1
    # The lower end of Wilson's interval for 20 of 20, where agreement by chance is one half.
    assert found.low == pytest.approx(1 - (1 - interval.wilson(20, 20).low) / 0.5)


def test_the_interval_of_kappa_contains_the_truth() -> None:
    generator = np.random.default_rng(7)
    shares = np.array([0.45, 0.06, 0.41, 0.08])
    truth = agreement.kappa_and_error([[shares[0], shares[1]], [shares[3], shares[2]]])[0]
    contained = []
    for draw in generator.multinomial(105, shares, 2_000):
        found = agreement.cohen_kappa(Confusion(*map(int, draw)))
        assert found
        contained.append(found.low <= truth <= found.high)
    assert 0.93 <= np.mean(contained) <= 0.97


def test_alpha_matches_the_published_values_at_each_level() -> None:
    levels: dict[agreement.Level, float] = {"nominal": 0.743, "ordinal": 0.815, "interval": 0.849, "ratio": 0.797}
    for level, expected in levels.items():
        assert agreement.krippendorff_alpha(FOUR_OBSERVERS, level) == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        # Krippendorff 2011, example A: ten articles, two observers, 0 or 1.
        ("0100000010", "1110010000", 0.095),
        # Example B: twelve items, two observers, five categories.
        ("aabbdcccedda", "babbbccceddd", 0.692),
    ],
)
def test_alpha_of_two_observers_matches_published_values(one: str, other: str, expected: float) -> None:
    votes = [[float(ord(first)), float(ord(second))] for first, second in zip(one, other, strict=True)]
    assert agreement.krippendorff_alpha(votes) == pytest.approx(expected, abs=5e-4)


def by_pairs(votes: list[list[float | None]], level: agreement.Level) -> float:
    """Return alpha as the mean squared difference over all pairs of votes, counted one by one."""
    units = [[vote for vote in row if vote is not None] for row in votes]
    units = [unit for unit in units if len(unit) > 1]
    everyone = [vote for unit in units for vote in unit]

    def squared(one: float, other: float) -> float:
        if level == "nominal":
            return float(one != other)
        if level == "ordinal":
            low, high = min(one, other), max(one, other)
            between = sum(low <= vote <= high for vote in everyone)
            return (between - (everyone.count(low) + everyone.count(high)) / 2) ** 2
        return (one - other) ** 2 if level == "interval" else ((one - other) / (one + other or 1)) ** 2

    within = sum(sum(starmap(squared, permutations(unit, 2))) / (len(unit) - 1) for unit in units) / len(everyone)
    return 1 - within / (sum(starmap(squared, permutations(everyone, 2))) / len(everyone) / (len(everyone) - 1))


@given(
    st.lists(
        st.lists(st.none() | st.sampled_from([0.0, 0.5, 1.0, 3.0]), min_size=2, max_size=4), min_size=1, max_size=6
    ),
    st.sampled_from(["nominal", "ordinal", "interval", "ratio"]),
)
def test_alpha_compares_all_pairs_of_votes(votes: list[list[float | None]], level: agreement.Level) -> None:
    found = agreement.krippendorff_alpha(votes, level)
    if found is not None:
        assert found == pytest.approx(by_pairs(votes, level))
        assert found <= 1


def test_answers_with_one_vote_change_nothing() -> None:
    votes: list[list[float | None]] = [[1, 1, None], [0, 1, 1], [0, 0, 0]]
    extra: list[list[float | None]] = [[0, None, None], [None, None, None], []]
    assert agreement.krippendorff_alpha(votes + extra) == agreement.krippendorff_alpha(votes)


def test_alpha_is_undefined_without_pairs_or_without_variation() -> None:
    assert agreement.krippendorff_alpha([]) is None
    assert agreement.krippendorff_alpha([[1, None], [None, 0]]) is None
    assert agreement.krippendorff_alpha([[1, 1], [1, 1]]) is None
    # The only different vote is in no pair.
    assert agreement.krippendorff_alpha([[1, 1], [1, 1], [0, None]]) is None


def test_alpha_is_1_for_agreement_and_below_0_for_systematic_disagreement() -> None:
    assert agreement.krippendorff_alpha([[1, 1], [0, 0]]) == pytest.approx(1)
    # D_o = 1 and D_e = 2 / 3.
    assert agreement.krippendorff_alpha([[1, 0], [0, 1]]) == pytest.approx(-0.5)


def test_votes_without_a_defined_difference_are_rejected() -> None:
    with pytest.raises(ValueError, match="finite"):
        agreement.krippendorff_alpha([[1, math.nan], [0, 1]])
    with pytest.raises(ValueError, match="ratio"):
        agreement.krippendorff_alpha([[1, -1], [0, 1]], "ratio")
    assert agreement.krippendorff_alpha([[1, -1], [0, 1]], "interval") is not None
