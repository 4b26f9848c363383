from __future__ import annotations

import pytest

from libra.gateway.limits.trial_budget import TrialBudget
from libra.gateway.stage import policy


@pytest.mark.parametrize(("in_flight", "batches"), [(8, 1), (64, 2), (500, 16)])
def test_an_empty_hand_wants_what_keeps_the_model_busy(in_flight: int, batches: int) -> None:
    assert TrialBudget(lambda: in_flight).wanted() == batches


def test_small_batches_are_wanted_in_greater_number() -> None:
    hand = TrialBudget(lambda: 500)
    for _ in range(30):
        hand.put_down(hand.take(10))
    assert hand.wanted() == pytest.approx(100, abs=5)


def test_nothing_more_is_wanted_while_there_is_enough() -> None:
    hand = TrialBudget(lambda: 8)
    first = hand.take(64)
    assert hand.wanted() == 1  # 64 are in hand, and 8 of them in flight: the next batch is fetched before they are done
    second = hand.take(64)
    assert hand.wanted() == 0
    for _ in range(56):
        first.answered()
    assert hand.trials == 72
    assert hand.wanted() == 0
    first.answered()
    assert hand.wanted() == 1
    assert hand.changed.is_set()
    hand.put_down(first)
    hand.put_down(second)
    assert hand.trials == 0


def test_a_batch_of_slow_answers_fits_into_the_deadline() -> None:
    """The trap: 64 trials of 30 s, 8 at a time, behind as many batches as may be in hand."""
    made = policy(in_flight=8, worst_seconds=1000, drain_seconds=20)
    assert made.deadline_seconds > made.slots * 64 / 8 * 30
    assert (policy(8, 1, 1).slots, policy(500, 1, 1).slots) == (9, 71)
