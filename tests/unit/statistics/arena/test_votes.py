from __future__ import annotations

import numpy as np

from libra.statistics.arena.votes import Outcome, Votes, count_votes

VOTES = Votes(
    first=np.array([0, 0, 2, 1]),
    second=np.array([1, 1, 0, 0]),
    outcome=np.array([Outcome.FIRST, Outcome.FIRST, Outcome.BOTH_BAD, Outcome.TIE]),
    voter=np.array([0, 1, 1, 2]),
    family=np.array([0, 1, 1, 0]),
)


def test_votes_are_counted_by_ordered_pair_and_outcome() -> None:
    counts = count_votes(VOTES, 3)
    assert counts.values.dtype == np.int64
    assert counts.total == 4
    assert counts.values[0, 1, Outcome.FIRST] == 2
    assert counts.values[2, 0, Outcome.BOTH_BAD] == 1
    assert counts.values[1, 0, Outcome.TIE] == 1
    assert counts.battles().tolist() == [4, 3, 1]


def test_adding_votes_one_by_one_gives_the_counts_of_all() -> None:
    counts = count_votes(VOTES.subset(np.zeros(4, dtype=bool)), 3)
    for first, second, outcome in zip(VOTES.first, VOTES.second, VOTES.outcome, strict=True):
        counts.add(first, second, outcome)
    assert (counts.values == count_votes(VOTES, 3).values).all()
    counts.add(0, 1, Outcome.FIRST, times=-2)
    assert counts.total == 2


def test_the_votes_of_excluded_voters_are_left_out() -> None:
    kept = VOTES.without_voters(np.array([False, True, False]))
    assert kept.voter.tolist() == [0, 2]
    assert kept.family is not None
    assert kept.family.tolist() == [0, 0]


def test_weights_are_summed() -> None:
    weighted = Votes(VOTES.first, VOTES.second, VOTES.outcome, VOTES.voter, weight=np.array([0.5, 2.0, 1.0, 1.0]))
    assert count_votes(weighted, 3).values[0, 1, Outcome.FIRST] == 2.5
