from __future__ import annotations

import math
import random
from collections.abc import Sequence

import pytest
from scipy.special import ndtr

from libra.statistics.influence import external_score, mean
from libra.statistics.interval import Z, of_difference, of_score, spread_of, wilson
from libra.statistics.limits import AnySpread, compare_limit, more_samples, spread_of_drop, upper_quantile
from libra.statistics.overall import by_distance
from libra.statistics.score import Score, TrialsBySample

ALPHA = 0.05
Z90 = upper_quantile(ALPHA)


def score(values: Sequence[float], task: str = "harm@1") -> Score:
    made = mean(TrialsBySample(task, range(len(values)), [1] * len(values), values))
    assert made is not None
    return made


def spread(one: Sequence[float], other: Sequence[float] | None = None) -> AnySpread:
    made = spread_of(score(one)) if other is None else spread_of_drop(score(one), score(other))
    assert made is not None
    return made


def test_at_95_percent_an_interval_is_that_of_the_board() -> None:
    one, other = score([1.0] * 33 + [0.0] * 7), score([1.0] * 25 + [0.0] * 15)
    for each in (one, other, by_distance(one, score([1.0] * 9 + [0.0] * 4, "math@1"))):
        made = spread_of(each)
        assert made is not None
        ends = of_score(each)
        assert ends is not None
        assert (made.ends(Z).low, made.ends(Z).high) == pytest.approx((ends.low, ends.high))
    paired, of_both = spread_of_drop(one, other), of_difference(one, other)
    assert paired is not None
    assert of_both is not None
    # 8 samples differ, all in one direction: on the side of a larger difference, Newcombe's reaches less far.
    assert paired.ends(Z).low == pytest.approx(of_both.low)
    assert paired.ends(Z).high == pytest.approx(max(of_both.high, wilson(8, 40).high))


def test_p_is_the_level_at_which_the_interval_meets_the_limit() -> None:
    made = spread([1.0] * 33 + [0.0] * 7)
    for limit in (0.5, 0.7, 0.8, 0.83, 0.9, 0.95):
        test = compare_limit(made, limit)
        p = min(test.p_below, test.p_above)
        ends = made.ends(upper_quantile(p))
        end = ends.low if made.value >= limit else ends.high
        assert end == pytest.approx(limit, abs=1e-6)
        assert test.p_below + test.p_above == pytest.approx(1)
        assert (test.p_above <= ALPHA) == (test.interval(ALPHA).low >= limit)
        assert (test.p_below <= ALPHA) == (test.interval(ALPHA).high <= limit)


def test_the_test_of_a_share_is_the_score_test() -> None:
    # Wilson's interval inverts z = (share - limit) / sqrt(limit (1 - limit) / n).
    ends = wilson(60, 100, 1.5)
    limit = ends.low
    assert (0.6 - limit) / math.sqrt(limit * (1 - limit) / 100) == pytest.approx(1.5)
    made = spread([1.0] * 240 + [0.0] * 160)
    z = (0.6 - 0.55) / math.sqrt(0.55 * 0.45 / 400)
    assert compare_limit(made, 0.55).p_above == pytest.approx(float(ndtr(-z)), rel=0.02)


@pytest.mark.parametrize(("samples", "limit"), [(20, 0.2), (32, 0.1), (100, 0.03), (400, 0.01)])
def test_samples_of_which_none_differs_do_not_prove_that_none_would(samples: int, limit: float) -> None:
    scores = [1.0, 0.0] * (samples // 2)
    test = compare_limit(spread(scores, scores), -limit)
    chance = (1 - limit) ** samples  # of no change in `samples`, if a share of `limit` changes
    assert test.p_above == pytest.approx(chance, rel=0.5)
    assert test.p_above > chance / 2


def test_a_value_at_its_limit_is_shown_by_no_number_of_samples() -> None:
    made = spread([1.0] * 30 + [0.0] * 10)
    test = compare_limit(made, 0.75)
    assert (test.p_below, test.p_above) == (0.5, 0.5)
    assert more_samples(test, 40, ALPHA) is None
    assert more_samples(compare_limit(made, 0.750001), 40, ALPHA) is None  # more than can be planned


def test_a_value_far_from_its_limit_has_a_small_p() -> None:
    test = compare_limit(spread([1.0] * 900 + [0.0] * 100), 0.1)
    assert test.p_above < 1e-14
    assert test.p_below == pytest.approx(1)


def test_a_score_without_samples_has_a_normal_test() -> None:
    made = spread_of(external_score(0.6, 0.05))
    assert made is not None
    assert compare_limit(made, 0.5).p_above == pytest.approx(float(ndtr(-2)))
    two = spread_of_drop(external_score(0.6, 0.03), external_score(0.7, 0.04))
    assert two is not None
    assert compare_limit(two, 0.0).p_below == pytest.approx(float(ndtr(-2)))
    assert spread_of_drop(external_score(0.6, None), external_score(0.7, 0.04)) is None


def test_the_planned_number_of_samples_decides_in_four_of_five_cases() -> None:
    generator = random.Random(7)
    test = compare_limit(spread([1.0] * 43 + [0.0] * 7), 0.8)
    more = more_samples(test, 50, ALPHA)
    assert more is not None
    decided = 0
    for _ in range(400):
        values = [float(generator.random() < 0.86) for _ in range(50 + more)]
        decided += compare_limit(spread(values), 0.8).p_above <= ALPHA
    assert 0.72 < decided / 400 < 0.92


@pytest.mark.parametrize("share", [0.5, 0.9])
@pytest.mark.parametrize("change", [0.0, 0.1])
def test_errors_at_the_limit_are_about_alpha(share: float, change: float) -> None:
    """The true drop equals the limit: neither side may be shown much more often than promised."""
    generator = random.Random(11)
    limit, samples, shown = 0.05, 200, {"below": 0, "above": 0}
    for _ in range(400):
        old = [float(generator.random() < share) for _ in range(samples)]
        new = [float(generator.random() < share) if generator.random() < change else value for value in old]
        new = [0.0 if value and generator.random() < limit / share else value for value in new]
        test = compare_limit(spread(new, old), -limit)
        shown["below"] += test.p_below <= ALPHA
        shown["above"] += test.p_above <= ALPHA
    assert max(shown.values()) / 400 < 0.09  # alpha and three standard errors of 400 draws
