from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra.store.cell_sums import MEAN_OUTCOMES, CellSums
from libra.v1.verdict_pb2 import Outcome

outcomes = st.sampled_from(Outcome.values()[1:])


@given(st.lists(st.tuples(outcomes, st.floats(0, 1))))
def test_adding_verdicts_one_by_one_equals_adding_them_by_outcome(verdicts: list[tuple[int, float]]) -> None:
    one_by_one = CellSums()
    by_outcome: dict[int, dict[str, float]] = {}
    for outcome, score in verdicts:
        one_by_one.add(outcome, score)
        sums = by_outcome.setdefault(outcome, {"_id": outcome, "n": 0, "sum": 0.0, "sum_squares": 0.0})
        sums["n"] += 1
        sums["sum"] += score
        sums["sum_squares"] += score * score
    together = CellSums.from_outcomes(by_outcome.values())
    assert together.sum == pytest.approx(one_by_one.sum)
    assert together.sum_squares == pytest.approx(one_by_one.sum_squares)
    assert together.n == one_by_one.n == sum(outcome in MEAN_OUTCOMES for outcome, _ in verdicts)
    assert together.total == one_by_one.total == len(verdicts)
    assert CellSums.from_document(one_by_one.to_document()) == one_by_one


def test_an_unspecified_outcome_is_rejected() -> None:
    with pytest.raises(KeyError):
        CellSums().add(Outcome.OUTCOME_UNSPECIFIED, 1.0)
