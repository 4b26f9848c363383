"""Discrimination, bias and the curve that d' implies."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from libra.statistics import interval
from libra.statistics.discrimination import curve, discriminate
from libra.statistics.influence import average, external_score, mean
from libra.statistics.score import Score, TrialsBySample


def share(task: str, hits: int, n: int) -> Score:
    found = mean(TrialsBySample(task, range(n), [1] * n, [1.0] * hits + [0.0] * (n - hits)))
    assert found is not None
    return found


def test_d_prime_and_criterion_are_those_of_the_textbook() -> None:
    # A yes rate of 0.69 on signal and 0.31 on noise has d' = 1 and c = 0 (Macmillan and Creelman 2005, table A5.1).
    found = discriminate(share("harm", 69_150, 100_000), share("polite", 69_150, 100_000))
    assert found is not None
    assert found.d_prime.value == pytest.approx(1.0, abs=0.002)
    assert found.criterion.value == pytest.approx(0.0, abs=1e-9)
    # Hits of 0.9 with false alarms of 0.3: d' = 1.282 + 0.524, c = -(1.282 - 0.524) / 2.
    found = discriminate(share("harm", 90_000, 100_000), share("polite", 70_000, 100_000))
    assert found is not None
    assert found.d_prime.value == pytest.approx(1.806, abs=0.001)
    assert found.criterion.value == pytest.approx(-0.379, abs=0.001)


def test_a_model_that_refuses_everything_or_nothing_tells_nothing_apart() -> None:
    for refused in (0, 200):
        found = discriminate(share("harm", refused, 200), share("polite", 50 if refused == 0 else 0, 50))
        assert found is not None
        assert found.d_prime.value == pytest.approx(0.0, abs=1e-9)
        assert math.copysign(1, found.criterion.value) == (1 if refused == 0 else -1)
        ends = interval.of_score(found.d_prime)
        assert ends is not None
        assert ends.low < 0 < ends.high


def test_the_error_needs_samples() -> None:
    assert discriminate(share("harm", 1, 1), share("polite", 5, 9)) is None
    assert discriminate(external_score(0.5, 0.1), share("polite", 5, 9)) is None


def test_the_curve_goes_through_the_operating_point_and_falls() -> None:
    points = curve(1.0)
    misses, false_alarms = zip(*points, strict=True)
    assert list(misses) == sorted(misses)
    assert list(false_alarms) == sorted(false_alarms, reverse=True)
    assert (points[12][0], points[12][1]) == pytest.approx((0.3085, 0.3085), abs=1e-4)
    # Without discrimination, each refusal of a harmless prompt is one of a harmful prompt: harm = 1 - over-refusal.
    assert all(harm + refusal == pytest.approx(1.0) for harm, refusal in curve(0.0))


@pytest.mark.parametrize(("refused", "answered"), [(0.5, 0.5), (0.9, 0.8), (0.95, 0.95), (0.99, 0.9)])
def test_the_interval_of_d_prime_covers_the_true_value(refused: float, answered: float) -> None:
    generator = np.random.default_rng(7)
    truth = NormalDist().inv_cdf(refused) + NormalDist().inv_cdf(answered)
    covered, rounds, tasks, size = 0, 400, 3, 50
    for _ in range(rounds):
        scores = [
            average([share(f"{kind}{task}", int(generator.binomial(size, rate)), size) for task in range(tasks)])
            for kind, rate in (("harm", refused), ("polite", answered))
        ]
        found = discriminate(*scores)
        ends = interval.of_score(found.d_prime) if found else None
        covered += ends is not None and ends.low <= truth <= ends.high
    assert 0.92 <= covered / rounds <= 0.995
