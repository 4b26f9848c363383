from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from tests.simulated_votes import INDEPENDENT, Habits, simulate, true_ratings, voter_sizes

from libra.statistics.arena import clustered_errors as errors_module
from libra.statistics.arena.clustered_errors import (
    clustered_errors,
    independent_errors,
    strength_intervals,
    strength_rank_intervals,
)
from libra.statistics.arena.paired_comparison import PRIOR_SD, Ratings, fit, without_votes
from libra.statistics.arena.votes import Outcome, Votes, count_votes

MODELS, SIMULATIONS = 10, 30
ARENA_RANK = Path(__file__).parents[3] / "data" / "arena_rank.json"


def simulated(seed: int, votes: int, voters: int, habits: Habits) -> tuple[Ratings, Votes]:
    generator = np.random.default_rng(seed)
    truth = true_ratings(generator, MODELS)
    return truth, simulate(generator, truth, voter_sizes(generator, votes, voters), habits)


def test_intervals_contain_the_true_strengths_though_the_votes_of_a_voter_depend_on_each_other() -> None:
    """At 95 %, as errors that ignore voters do not."""
    contained, ignorant = [], []
    for seed in range(SIMULATIONS):
        truth, votes = simulated(seed, 8_000, 300, Habits(taste=0.3))
        counts = count_votes(votes, MODELS)
        ratings = fit(counts)
        off = np.abs(ratings.strengths - truth.strengths)
        contained.append(off < 1.96 * clustered_errors(votes, ratings).standard_errors)
        ignorant.append(off < 1.96 * independent_errors(counts, ratings).standard_errors)
    assert 0.93 <= np.mean(contained) <= 0.97
    assert np.mean(ignorant) < 0.9


def test_intervals_of_few_votes_by_few_voters_are_not_too_short() -> None:
    contained = []
    for seed in range(SIMULATIONS):
        truth, votes = simulated(seed, 300, 30, Habits())
        ratings = fit(count_votes(votes, MODELS))
        contained.append(
            np.abs(ratings.strengths - truth.strengths) < 1.96 * clustered_errors(votes, ratings).standard_errors
        )
    assert np.mean(contained) >= 0.94


def test_the_same_votes_given_again_by_their_voters_add_no_certainty() -> None:
    _, votes = simulated(1, 4_000, 400, Habits())
    twice = votes.subset(np.tile(np.arange(len(votes)), 2))
    once_errors = clustered_errors(votes, fit(count_votes(votes, MODELS))).standard_errors
    ratings = fit(count_votes(twice, MODELS))
    assert clustered_errors(twice, ratings).standard_errors == pytest.approx(once_errors, rel=0.1)
    independent = independent_errors(count_votes(twice, MODELS), ratings).standard_errors
    assert independent == pytest.approx(once_errors / math.sqrt(2), rel=0.15)


def test_the_order_of_votes_and_the_numbers_of_voters_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    _, votes = simulated(2, 2_000, 100, Habits())
    ratings = fit(count_votes(votes, MODELS))
    expected = clustered_errors(votes, ratings)
    shuffled = votes.subset(np.random.default_rng(0).permutation(len(votes)))
    renamed = Votes(shuffled.first, shuffled.second, shuffled.outcome, 3 * (200 - shuffled.voter))
    monkeypatch.setattr(errors_module, "BLOCK_CELLS", 100)
    found = clustered_errors(renamed, ratings)
    assert found.covariance == pytest.approx(expected.covariance)
    assert found.badness_covariance == pytest.approx(expected.badness_covariance)


def test_a_weight_counts_as_that_many_equal_votes_of_one_voter() -> None:
    _, votes = simulated(3, 3_000, 500, Habits())
    doubled = Votes(votes.first, votes.second, votes.outcome, votes.voter, weight=np.full(len(votes), 2.0))
    twice = votes.subset(np.tile(np.arange(len(votes)), 2))
    ratings = fit(count_votes(doubled, MODELS))
    assert ratings.strengths == pytest.approx(fit(count_votes(twice, MODELS)).strengths)
    once_errors = clustered_errors(votes, fit(count_votes(votes, MODELS))).standard_errors
    assert clustered_errors(doubled, ratings).standard_errors == pytest.approx(once_errors, rel=0.01)


def test_the_variance_of_a_model_without_votes_is_that_of_the_prior() -> None:
    votes = Votes(*(np.empty(0, dtype=int) for _ in range(4)))
    errors = clustered_errors(votes, without_votes(4))
    assert errors.standard_errors == pytest.approx(PRIOR_SD * math.sqrt(3 / 4))
    assert strength_rank_intervals(without_votes(4), errors) == [(1, 4)] * 4


def test_one_voter_alone_is_no_certainty() -> None:
    """One voter who always prefers the same model leaves the ratings about as uncertain as they are large."""
    size = 200
    votes = Votes(
        np.zeros(size, dtype=int), np.ones(size, dtype=int), np.zeros(size, dtype=int), np.zeros(size, dtype=int)
    )
    ratings = fit(count_votes(votes, 2))
    low = strength_intervals(ratings, clustered_errors(votes, ratings))[0].low
    assert ratings.strengths[0] > 2
    assert low < 0


def test_rank_intervals_are_narrow_where_models_are_far_apart() -> None:
    generator = np.random.default_rng(6)
    truth = without_votes(3)
    truth.strengths[:] = [0.0, 1.0, -1.0]
    votes = simulate(generator, truth, np.arange(6_000), INDEPENDENT)
    ratings = fit(count_votes(votes, 3))
    errors = clustered_errors(votes, ratings)
    assert strength_rank_intervals(ratings, errors) == [(2, 2), (1, 1), (3, 3)]
    middle = strength_intervals(ratings, errors)[0]
    assert middle.low < ratings.strengths[0] < middle.high
    assert middle.high - middle.low == pytest.approx(2 * 1.96 * errors.standard_errors[0], rel=1e-3)


def test_errors_of_independent_votes_agree_with_arena_rank() -> None:
    rows = json.loads(ARENA_RANK.read_text())
    *columns, times = np.array(rows["counts"]).T
    first, second, outcome = (np.repeat(each, times) for each in columns)
    assert set(outcome) <= {Outcome.FIRST, Outcome.SECOND}
    votes = Votes(first, second, outcome, np.arange(len(first)))
    found = clustered_errors(votes, fit(count_votes(votes, rows["models"]))).standard_errors
    theirs = np.sqrt(rows["variances"]) * math.log(10) / 400
    assert found == pytest.approx(theirs, rel=0.05)
