from __future__ import annotations

from libra.stage.failure_counter import MAX_KEYS, FailureCounter
from libra.stage.policy import Policy


def test_failures_are_counted_by_key_starting_at_the_number_in_the_headers() -> None:
    failures = FailureCounter()
    assert failures.increment("a", earlier=0) == 1
    assert failures.increment("a", earlier=0) == 2
    assert failures.increment("b", earlier=3) == 4
    assert failures.increment("b", earlier=3) == 5
    assert failures.count("c", earlier=2) == 2
    failures.forget("a")
    assert failures.count("a", earlier=0) == 0


def test_the_counter_is_bounded_and_drops_the_oldest_key() -> None:
    failures = FailureCounter()
    for number in range(MAX_KEYS + 1):
        failures.increment(str(number), earlier=0)
    assert failures.count("0", earlier=0) == 0
    assert failures.count("1", earlier=0) == 1


def test_the_last_delay_repeats() -> None:
    policy = Policy(delays_seconds=(1.0, 5.0))
    assert [policy.delay_seconds(failure) for failure in (1, 2, 3, 9)] == [1.0, 5.0, 5.0, 5.0]
