from __future__ import annotations

import pytest

from libra.cli.render.eta import WINDOW_SECONDS, RateEstimator
from libra.cli.render.runs.run import settled_trials, unscored_trials
from libra.v1.run_pb2 import OutcomeCounts, Run


def test_one_observation_gives_no_rate() -> None:
    estimator = RateEstimator()
    assert estimator.trials_per_second() == 0
    estimator.observe(10.0, 5)
    assert estimator.trials_per_second() == 0
    assert estimator.seconds_left(100) is None


def test_the_time_left_follows_from_the_rate() -> None:
    estimator = RateEstimator()
    estimator.observe(0.0, 0)
    estimator.observe(10.0, 50)
    assert estimator.trials_per_second() == 5
    assert estimator.seconds_left(100) == 10


def test_observations_before_the_window_do_not_count() -> None:
    estimator = RateEstimator()
    for second in range(200):
        estimator.observe(float(second), 100 if second > 100 else second * 10)
    assert estimator.trials_per_second() == 0
    assert estimator.seconds_left(1000) is None
    assert estimator.observations[-1][0] - estimator.observations[0][0] == pytest.approx(WINDOW_SECONDS, abs=1)


def test_failed_and_unjudged_trials_have_no_score() -> None:
    run = Run(counts=OutcomeCounts(scored=7, filtered=2, unjudged=1, failed=3))
    assert settled_trials(run) == 13
    assert unscored_trials(run) == 4
