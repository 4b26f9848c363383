from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.statistics import paired_tests

DARWIN = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
"""Darwin's data in Fisher's analysis: height of crossed minus self-fertilised maize, in eighths of an inch."""


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_a_sum_of_binomial_probabilities(b: int, c: int) -> None:
    tail = sum(math.comb(b + c, k) for k in range(min(b, c) + 1)) / 2 ** (b + c)
    assert paired_tests.mcnemar(b, c) == pytest.approx(min(1.0, 2 * tail))
    assert paired_tests.mcnemar(b, c) == paired_tests.mcnemar(c, b)


def test_mcnemar_on_few_samples() -> None:
    assert paired_tests.mcnemar(5, 0) == pytest.approx(0.0625)
    assert paired_tests.mcnemar(0, 0) == 1
    assert paired_tests.mcnemar(3, 3) == 1


def test_permutation_matches_fishers_count() -> None:
    """Of 32,768 sign patterns, 863 have a sum as high: Fisher, The Design of Experiments (1935), section 21."""
    assert paired_tests.permutation(DARWIN, seed=1) == pytest.approx(2 * 863 / 32_768)


@given(st.lists(st.integers(-4, 4), max_size=9))
def test_permutation_enumerates_all_signs_of_few_differences(differences: list[int]) -> None:
    observed = abs(sum(differences))
    sums = [
        abs(sum(map(math.prod, zip(differences, signs, strict=True))))
        for signs in product((1, -1), repeat=len(differences))
    ]
    assert paired_tests.permutation(differences, seed=1) == pytest.approx(
        sum(each >= observed for each in sums) / len(sums)
    )


def test_samples_without_a_difference_are_ignored() -> None:
    assert paired_tests.permutation([1.0] * 6 + [0.0] * 100, seed=1) == 2 / 2**6


def test_permutation_draws_signs_of_many_differences() -> None:
    """For differences of one size it is McNemar's test."""
    differences = [1.0] * 40 + [-1.0] * 22 + [0.0] * 30
    found = paired_tests.permutation(differences, seed=1)
    assert found == pytest.approx(paired_tests.mcnemar(40, 22), abs=0.005)
    assert found == paired_tests.permutation(differences, seed=1)
    assert found != paired_tests.permutation(differences, seed=2)
    mixed = [*DARWIN, *[step / 10 for step in range(-20, 24)]]
    sums = np.abs(np.random.default_rng(5).choice((-1, 1), (100_000, len(mixed))) @ np.array(mixed))
    assert paired_tests.permutation(mixed, seed=1) == pytest.approx(np.mean(sums >= abs(sum(mixed)) - 1e-9), abs=0.012)


def test_permutation_never_returns_0() -> None:
    assert paired_tests.permutation([1.0] * 100, seed=1) == pytest.approx(1 / 10_001)
    assert paired_tests.permutation([0.0] * 100, seed=1) == 1
    assert paired_tests.permutation([], seed=1) == 1


def test_a_rounding_error_does_not_exclude_an_equal_sum() -> None:
    assert paired_tests.permutation([0.1, 0.2, -0.3, 0.7], seed=1) == pytest.approx(
        paired_tests.permutation([1, 2, -3, 7], seed=1)
    )


def test_normal_p_has_the_values_of_the_normal_distribution() -> None:
    assert paired_tests.normal_p(1.959964, 1) == pytest.approx(0.05, abs=1e-6)
    assert paired_tests.normal_p(-0.2575829, 0.1) == pytest.approx(0.01, abs=1e-6)
    assert paired_tests.normal_p(0.0, 0.0) == 1
    assert paired_tests.normal_p(0.1, 0.0) == 0


def test_holm_follows_the_published_procedure() -> None:
    """Smallest first: 4 x 0.005, 3 x 0.01, 2 x 0.03, and for 0.04 at least the one before it."""
    assert paired_tests.holm([0.01, 0.04, 0.03, 0.005]) == [pytest.approx(p) for p in (0.03, 0.06, 0.06, 0.02)]
    assert paired_tests.holm([0.9, 0.6]) == [1.0, 1.0]
    assert paired_tests.holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=30))
def test_holm_keeps_the_order_and_lies_between_p_and_bonferroni(ps: list[float]) -> None:
    adjusted = paired_tests.holm(ps)
    for p, higher in zip(ps, adjusted, strict=True):
        assert p <= higher <= min(1.0, len(ps) * p) + 1e-12
    for one, other in product(range(len(ps)), repeat=2):
        assert ps[one] > ps[other] or adjusted[one] <= adjusted[other]


def test_the_detectable_effect_matches_a_published_example() -> None:
    """Miller 2024 (arXiv 2411.00640), section 5: 969 questions, with a variance of 1/9 between them, for 3 points."""
    assert paired_tests.detectable_effect(math.sqrt(1 / 9 / 969)) == pytest.approx(0.03, abs=5e-6)
    assert paired_tests.detectable_effect(1.0, power=0.5) == pytest.approx(1.959964)


def test_the_detectable_effect_is_found_as_often_as_its_power_says() -> None:
    generator = np.random.default_rng(8)
    drawn = paired_tests.detectable_effect(0.1) + 0.1 * generator.standard_normal(20_000)
    found = paired_tests.normal_ps(drawn, np.full(20_000, 0.1)) < 0.05
    assert np.mean(found) == pytest.approx(0.8, abs=0.01)


def test_equal_models_differ_significantly_in_at_most_5_of_100() -> None:
    generator = np.random.default_rng(9)
    lost = generator.binomial(60, 0.5, 2_000)
    by_mcnemar = [paired_tests.mcnemar(int(c), 60 - int(c)) <= 0.05 for c in lost]
    assert 0.02 <= np.mean(by_mcnemar) <= 0.05
    gaps = generator.choice([-1, -0.5, 0, 0.5, 1], (2_000, 12))
    by_signs = [paired_tests.permutation(row.tolist(), seed=1) <= 0.05 for row in gaps]
    assert 0.02 <= np.mean(by_signs) <= 0.06
    drawn = [
        paired_tests.permutation(row.tolist(), seed=1) <= 0.05
        for row in generator.choice([-1, -0.6, 0.6, 1], (800, 40))
    ]
    assert 0.03 <= np.mean(drawn) <= 0.07
