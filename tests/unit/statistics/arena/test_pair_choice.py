from __future__ import annotations

import numpy as np
import pytest
from tests.simulated_votes import INDEPENDENT, simulate, true_ratings, vote

from libra.statistics.arena.clustered_errors import independent_errors
from libra.statistics.arena.pair_choice import (
    FLOOR_SHARE,
    choose_pair,
    covariance_after,
    pair_probabilities,
    variance_reductions,
    vote_information,
)
from libra.statistics.arena.paired_comparison import Ratings, fit, without_votes
from libra.statistics.arena.votes import Counts, count_votes

MODELS = 6


def rated(seed: int, votes: int) -> tuple[Ratings, np.ndarray]:
    generator = np.random.default_rng(seed)
    counts = count_votes(simulate(generator, true_ratings(generator, MODELS), np.arange(votes), INDEPENDENT), MODELS)
    ratings = fit(counts)
    return ratings, independent_errors(counts, ratings).covariance


def test_every_eligible_model_has_its_floor_and_no_other_is_chosen() -> None:
    ratings, covariance = rated(1, 500)
    eligible = np.array([True, True, False, True, True, True])
    probabilities = pair_probabilities(ratings, covariance, eligible)
    assert probabilities.sum() == pytest.approx(1)
    assert (np.diag(probabilities) == 0).all()
    shares = probabilities.sum(axis=0) + probabilities.sum(axis=1)
    assert shares[2] == 0
    assert shares[eligible].min() >= FLOOR_SHARE * 2 / 5 - 1e-12
    assert probabilities == pytest.approx(probabilities.T)


def test_the_favoured_pair_reduces_the_variance_most() -> None:
    ratings, covariance = rated(2, 500)
    probabilities = pair_probabilities(ratings, covariance, np.ones(MODELS, dtype=bool), floor_share=0.0)
    first, second = np.unravel_index(probabilities.argmax(), probabilities.shape)
    traces = {
        (a, b): np.trace(covariance_after(ratings, covariance, a, b))
        for a in range(MODELS)
        for b in range(MODELS)
        if a != b
    }
    assert traces[int(first), int(second)] == pytest.approx(min(traces.values()))
    assert probabilities.max() == pytest.approx(0.5)


def test_reductions_are_those_of_the_inverted_information() -> None:
    ratings, covariance = rated(3, 500)
    covariance = covariance + np.eye(MODELS) * 1e-3
    gap = np.array([1.0, 0.0, -1.0, 0.0, 0.0, 0.0])
    information = vote_information(ratings)[0, 2]
    expected = np.linalg.inv(np.linalg.inv(covariance) + information * np.outer(gap, gap))
    assert covariance_after(ratings, covariance, 0, 2) == pytest.approx(expected)
    assert variance_reductions(ratings, covariance)[0, 2] == pytest.approx(np.trace(covariance) - np.trace(expected))


def test_a_new_model_is_in_the_next_battle() -> None:
    generator = np.random.default_rng(4)
    truth = true_ratings(generator, MODELS)
    votes = simulate(generator, truth, np.arange(2_000), INDEPENDENT)
    counts = count_votes(votes.subset((votes.first != 5) & (votes.second != 5)), MODELS)
    ratings = fit(counts)
    covariance = independent_errors(counts, ratings).covariance
    probabilities = pair_probabilities(ratings, covariance, np.ones(MODELS, dtype=bool), floor_share=0.0)
    assert probabilities[5].sum() + probabilities[:, 5].sum() == pytest.approx(1)


def test_battles_under_way_send_the_next_visitor_elsewhere() -> None:
    ratings, covariance = rated(5, 500)
    everyone = np.ones(MODELS, dtype=bool)
    seen = set()
    for _ in range(30):
        choice = choose_pair(ratings, covariance, everyone, np.random.default_rng(0), floor_share=0.0)
        seen.add(frozenset((choice.first, choice.second)))
        covariance = covariance_after(ratings, covariance, choice.first, choice.second)
    assert len(seen) >= 4


def test_pairs_are_chosen_as_often_as_their_probability_says() -> None:
    ratings, covariance = rated(6, 500)
    everyone, generator = np.ones(MODELS, dtype=bool), np.random.default_rng(1)
    probabilities = pair_probabilities(ratings, covariance, everyone)
    drawn = np.zeros((MODELS, MODELS))
    for _ in range(2_000):
        choice = choose_pair(ratings, covariance, everyone, generator)
        assert choice.probability == probabilities[choice.first, choice.second]
        drawn[choice.first, choice.second] += 1
    assert drawn / 2_000 == pytest.approx(probabilities, abs=0.05)


def test_chosen_pairs_rate_models_better_than_random_ones() -> None:
    """After as many votes, the sum of variances is smaller, and so is that of squared errors on average."""
    generator = np.random.default_rng(7)
    truth = true_ratings(generator, MODELS)
    counts = Counts(np.zeros((MODELS, MODELS, 4), dtype=np.int64))
    random = count_votes(simulate(generator, truth, np.arange(300), INDEPENDENT), MODELS)
    for _ in range(300):
        ratings = fit(counts)
        covariance = independent_errors(counts, ratings).covariance
        choice = choose_pair(ratings, covariance, np.ones(MODELS, dtype=bool), generator)
        pair = np.array([choice.first]), np.array([choice.second])
        counts.add(choice.first, choice.second, int(vote(generator, truth, *pair, np.array([0]), INDEPENDENT)[0]))
    chosen = np.trace(independent_errors(counts, fit(counts)).covariance)
    assert chosen < np.trace(independent_errors(random, fit(random)).covariance)


@pytest.mark.parametrize("eligible", [0, 1])
def test_a_battle_needs_two_eligible_models(eligible: int) -> None:
    with pytest.raises(ValueError, match=f"two eligible models, and there are {eligible}"):
        pair_probabilities(without_votes(3), np.eye(3), np.arange(3) < eligible)
