from __future__ import annotations

import itertools

import numpy as np
import pytest
from tests.simulated_votes import INDEPENDENT, Habits, simulate, true_ratings, voter_sizes

from libra.statistics.arena.paired_comparison import Ratings, fit
from libra.statistics.arena.votes import Counts, Outcome, Votes, count_votes
from libra.statistics.arena.votes_to_change import RankChange, votes_to_change


def fewest_by_trial(votes: Votes, models: int, ratings: Ratings, limit: int) -> list[int | None]:
    """Return for each model the fewest votes whose removal changes its rank, from all sets of up to `limit` votes."""
    fewest: list[int | None] = [None] * models
    for number in range(1, limit + 1):
        for removed in itertools.combinations(range(len(votes)), number):
            kept = np.delete(np.arange(len(votes)), removed)
            strengths = fit(count_votes(votes.subset(kept), models), ratings).strengths
            gaps = np.subtract.outer(strengths, strengths) * np.sign(
                np.subtract.outer(ratings.strengths, ratings.strengths)
            )
            for model in np.flatnonzero((gaps < -1e-9).any(axis=1)):
                fewest[model] = fewest[model] or number
    return fewest


@pytest.mark.parametrize("seed", [0, 2, 5, 6, 9])
def test_no_smaller_set_of_votes_changes_a_rank(seed: int) -> None:
    generator = np.random.default_rng(seed)
    votes = simulate(generator, true_ratings(generator, 3), np.arange(9), INDEPENDENT)
    ratings = fit(count_votes(votes, 3))
    found = votes_to_change(count_votes(votes, 3), ratings)
    for change, expected in zip(found, fewest_by_trial(votes, 3, ratings, limit=3), strict=True):
        assert expected is None or (change is not None and change.votes == expected)


def test_the_number_is_the_smallest_after_which_a_refit_changes_the_order() -> None:
    """Of two models with 60 and 40 wins, all numbers of wins in each position that may go are tried."""
    counts = Counts(np.zeros((2, 2, len(Outcome)), dtype=np.int64))
    counts.values[0, 1, :2] = counts.values[1, 0, 1::-1] = [30, 20]
    before = counts.values.copy()
    ratings = fit(counts)
    one, other = votes_to_change(counts, ratings)
    assert (counts.values == before).all()
    fewest = 60
    for in_first, in_second in itertools.product(range(22), range(22)):
        counts.values[0, 1, Outcome.FIRST], counts.values[1, 0, Outcome.SECOND] = 30 - in_first, 30 - in_second
        if in_first + in_second < fewest and np.diff(fit(counts, ratings).strengths)[0] > 0:
            fewest = in_first + in_second
    assert (one, other) == (RankChange(fewest, 1), RankChange(fewest, 0))


def test_a_few_of_many_votes_decide_close_ranks() -> None:
    generator = np.random.default_rng(3)
    votes = simulate(generator, true_ratings(generator, 20), voter_sizes(generator, 10_000, 600), Habits())
    counts = count_votes(votes, 20)
    ratings = fit(counts)
    changes = votes_to_change(counts, ratings)
    assert all(change is not None for change in changes)
    numbers = [change.votes for change in changes if change]
    assert min(numbers) < 5
    assert max(numbers) < 500


def test_without_votes_there_is_nothing_to_remove() -> None:
    counts = Counts(np.zeros((3, 3, len(Outcome)), dtype=np.int64))
    assert votes_to_change(counts, fit(counts)) == [None] * 3
