"""The time behind of a queue follows from its rate, or from the age of its oldest message."""

from __future__ import annotations

import pytest

from libra.process.drain_rate import WINDOW_SECONDS, DrainRate


def observed(*settled: int, step_seconds: float = 10.0) -> DrainRate:
    rate = DrainRate()
    for n, each in enumerate(settled):
        rate.observe(each, n * step_seconds)
    return rate


def test_the_time_to_empty_a_queue_is_its_length_divided_by_its_rate() -> None:
    rate = observed(0, 50, 100)
    assert rate.per_second == 5
    assert rate.behind_seconds(200, 3.0) == 40


def test_a_queue_that_stands_still_is_as_far_behind_as_its_oldest_message_is_old() -> None:
    assert observed(7, 7, 7).behind_seconds(200, 33.0) == 33
    assert observed(7).behind_seconds(200, 33.0) == 33


def test_an_empty_queue_is_not_behind() -> None:
    assert observed(0, 50).behind_seconds(0, 0.0) == 0


def test_what_is_older_than_the_window_no_longer_counts() -> None:
    assert observed(0, 1000, 1000, 1000, step_seconds=WINDOW_SECONDS * 0.6).per_second == 0


def test_a_server_that_begins_again_has_a_new_rate() -> None:
    assert observed(1000, 2000, 0, 20).per_second == pytest.approx(2)
