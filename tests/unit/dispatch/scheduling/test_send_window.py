from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from libra.dispatch.scheduling.send_window import SendWindow


@given(st.integers(0, 2000), st.integers(64, 10_000), st.integers(0, 10_000), st.integers(0, 5000))
def test_no_run_has_more_in_flight_than_its_window(
    max_in_flight: int, max_trials: int, in_flight: int, backlog: int
) -> None:
    window = SendWindow.for_model(max_in_flight, max_trials)
    assert window.share <= window.max_trials == max_trials
    assert 0 <= window.available(in_flight) <= max(0, max_trials - in_flight)
    assert 0 <= window.available_given_backlog(in_flight, backlog) <= max(0, max_trials - in_flight)


def test_a_share_keeps_a_model_busy() -> None:
    shares = [SendWindow.for_model(max_in_flight, 4096).share for max_in_flight in (0, 8, 32, 500, 5000)]
    assert shares == [272, 272, 320, 1256, 4096]


def test_beyond_its_share_a_run_sends_only_trials_that_do_not_wait() -> None:
    window = SendWindow.for_model(32, 4096)
    assert window.available(300) == 20
    assert window.available(400) == 0
    assert window.available_given_backlog(400, 5) == 0
    assert window.available_given_backlog(400, 3) == 2 * 64
    assert window.available_given_backlog(400, 0) == 5 * 64
    assert window.available_given_backlog(4090, 0) == 6


def test_a_share_includes_the_trials_that_a_fast_model_answers_before_the_next_poll() -> None:
    window = SendWindow.for_model(500, 4096)
    shares = [window.scaled_to(per_second).share for per_second in (0, 100, 2000, 100_000)]
    assert shares == [1256, 1331, 2756, 4096]
