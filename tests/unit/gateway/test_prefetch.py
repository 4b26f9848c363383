from __future__ import annotations

import pytest

from libra.gateway.limits.prefetch import TrialBudget
from libra.gateway.stage import policy


@pytest.mark.parametrize(("in_flight", "batches"), [(8, 1), (64, 2), (500, 16)])
def test_an_empty_budget_misses_the_batches_that_keep_the_model_busy(in_flight: int, batches: int) -> None:
    assert TrialBudget(in_flight).missing_batches() == batches


def test_more_batches_are_missing_when_batches_are_small() -> None:
    budget = TrialBudget(500)
    for _ in range(30):
        budget.remove_batch(budget.add_batch(10))
    assert budget.missing_batches() == pytest.approx(100, abs=5)


def test_no_batch_is_missing_while_there_are_enough_trials() -> None:
    budget = TrialBudget(8)
    first = budget.add_batch(64)
    assert (
        budget.missing_batches() == 1
    )  # of 64 trials 8 are in flight: the next batch is fetched before the rest is done
    second = budget.add_batch(64)
    assert budget.missing_batches() == 0
    for _ in range(56):
        first.on_answer()
    assert budget.unanswered == 72
    assert budget.missing_batches() == 0
    first.on_answer()
    assert budget.missing_batches() == 1
    assert budget.changed.is_set()
    budget.remove_batch(first)
    budget.remove_batch(second)
    assert budget.unanswered == 0


def test_a_new_quota_changes_how_many_batches_are_missing() -> None:
    budget = TrialBudget(500)
    budget.add_batch(64)
    assert budget.missing_batches() > 1
    budget.resize(0)
    assert budget.missing_batches() == 0
    assert budget.changed.is_set()


def test_a_batch_of_slow_answers_fits_into_the_deadline() -> None:
    """The worst case: 64 trials of 30 s, 8 at a time, behind as many batches as a replica may hold."""
    made = policy(in_flight=8, worst_seconds=1000, drain_seconds=20)
    assert made.deadline_seconds > made.slots * 64 / 8 * 30
    assert (policy(8, 1, 1).slots, policy(500, 1, 1).slots) == (9, 71)
