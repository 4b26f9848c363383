from __future__ import annotations

from libra.stage.failure_counter import MAX_KEPT, FailureCounter
from libra.stage.policy import Policy


def test_failures_are_counted_by_key_and_on_from_what_was_carried() -> None:
    failures = FailureCounter()
    assert failures.add("a", carried=0) == 1
    assert failures.add("a", carried=0) == 2
    assert failures.add("b", carried=3) == 4
    assert failures.add("b", carried=3) == 5
    assert failures.of("c", carried=2) == 2
    failures.forget("a")
    assert failures.of("a", carried=0) == 0


def test_the_memory_is_bounded_and_forgets_the_oldest() -> None:
    failures = FailureCounter()
    for number in range(MAX_KEPT + 1):
        failures.add(str(number), carried=0)
    assert failures.of("0", carried=0) == 0
    assert failures.of("1", carried=0) == 1


def test_the_last_delay_is_repeated() -> None:
    policy = Policy(delays_seconds=(1.0, 5.0))
    assert [policy.delay_seconds(failure) for failure in (1, 2, 3, 9)] == [1.0, 5.0, 5.0, 5.0]
