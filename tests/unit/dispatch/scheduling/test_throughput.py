from __future__ import annotations

from libra.dispatch.scheduling.throughput import Throughput


def test_throughput_is_the_settled_trials_between_two_observations() -> None:
    throughput = Throughput(100, now_seconds=10.0)
    assert throughput.per_second == 0
    throughput.observe(350, now_seconds=10.5)
    assert throughput.per_second == 500


def test_observations_in_quick_succession_count_as_one() -> None:
    throughput = Throughput(0, now_seconds=0.0)
    throughput.observe(64, now_seconds=0.1)
    assert throughput.per_second == 0
    throughput.observe(100, now_seconds=0.25)
    assert throughput.per_second == 400


def test_an_observation_without_new_verdicts_halves_it() -> None:
    throughput = Throughput(0, now_seconds=0.0)
    for now_seconds in (1.0, 2.0, 3.0):
        throughput.observe(1000, now_seconds)
    assert throughput.per_second == 250
