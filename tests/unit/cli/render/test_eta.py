from __future__ import annotations

import pytest

from libra.cli.render.eta import WINDOW_SECONDS, Pace, failures, settled
from libra.v1.run_pb2 import OutcomeCounts, Run


def test_a_run_that_has_just_begun_has_no_rate() -> None:
    pace = Pace()
    assert pace.per_second() == 0
    pace.look(10.0, 5)
    assert pace.per_second() == 0
    assert pace.seconds_left(100) is None


def test_the_rate_tells_the_time_left() -> None:
    pace = Pace()
    pace.look(0.0, 0)
    pace.look(10.0, 50)
    assert pace.per_second() == 5
    assert pace.seconds_left(100) == 10


def test_what_is_long_past_does_not_count() -> None:
    pace = Pace()
    for second in range(200):
        pace.look(float(second), 100 if second > 100 else second * 10)
    assert pace.per_second() == 0
    assert pace.seconds_left(1000) is None
    assert pace.looks[-1][0] - pace.looks[0][0] == pytest.approx(WINDOW_SECONDS, abs=1)


def test_failures_are_what_has_no_score() -> None:
    run = Run(counts=OutcomeCounts(scored=7, filtered=2, unjudged=1, failed=3))
    assert settled(run) == 13
    assert failures(run) == 4
