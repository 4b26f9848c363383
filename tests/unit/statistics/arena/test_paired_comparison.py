from __future__ import annotations

import json
import math
from pathlib import Path

import evalica
import numpy as np
import pytest
from scipy.special import expit
from tests.simulated_votes import INDEPENDENT, simulate, true_ratings

from libra.statistics.arena.paired_comparison import (
    BothBadModel,
    PreferenceModel,
    Ratings,
    fit,
    outcome_probabilities,
    without_votes,
)
from libra.statistics.arena.votes import Counts, Outcome, Votes, count_votes

ARENA_RANK = Path(__file__).parents[3] / "data" / "arena_rank.json"


def counts_of(models: int, *cells: tuple[int, int, int, int]) -> Counts:
    counts = Counts(np.zeros((models, models, len(Outcome)), dtype=np.int64))
    for cell in cells:
        counts.add(*cell)
    return counts


def decisive_in_both_positions(models: int, size: int, seed: int) -> Votes:
    """Return decisive votes, each of them also with the positions exchanged, so that there is no effect of position."""
    generator = np.random.default_rng(seed)
    truth = true_ratings(generator, models)
    first = generator.integers(0, models, size)
    second = (first + generator.integers(1, models, size)) % models
    won = generator.random(size) < expit(truth.strengths[first] - truth.strengths[second])
    return Votes(
        np.concatenate([first, second]),
        np.concatenate([second, first]),
        np.concatenate([np.where(won, 0, 1), np.where(won, 1, 0)]),
        np.zeros(2 * size, dtype=int),
    )


def test_two_models_without_ties_differ_by_their_log_odds() -> None:
    ratings = fit(
        counts_of(2, (0, 1, Outcome.FIRST, 3000), (1, 0, Outcome.SECOND, 3000), (0, 1, 1, 1000), (1, 0, 0, 1000))
    )
    assert ratings.strengths[0] - ratings.strengths[1] == pytest.approx(math.log(3), abs=1e-3)
    assert ratings.elo.mean() == pytest.approx(1000)
    assert ratings.elo[0] - ratings.elo[1] == pytest.approx(400 * math.log10(3), abs=0.2)


def test_position_and_ties_have_their_closed_form_for_two_models() -> None:
    """Of two equal models, A : B : tie is exp(delta / 2) : exp(-delta / 2) : exp(tau)."""
    outcomes = ((Outcome.FIRST, 40_000), (Outcome.SECOND, 10_000), (Outcome.TIE, 20_000), (Outcome.BOTH_BAD, 30_000))
    cells = [(first, 1 - first, outcome, number) for first in (0, 1) for outcome, number in outcomes]
    ratings = fit(counts_of(2, *cells))
    assert ratings.strengths == pytest.approx(0, abs=1e-9)
    assert ratings.position == pytest.approx(math.log(4), abs=1e-3)
    assert ratings.tie == pytest.approx(0, abs=1e-3)
    assert ratings.both_bad == pytest.approx(math.log(3 / 7), abs=1e-3)


def test_both_bad_is_a_fact_about_both_models_and_leaves_strengths_alone() -> None:
    votes = simulate(np.random.default_rng(1), true_ratings(np.random.default_rng(1), 6), np.arange(3000), INDEPENDENT)
    counts = count_votes(votes, 6)
    before = fit(counts)
    counts.add(2, 3, Outcome.BOTH_BAD, 500)
    after = fit(counts)
    assert after.strengths == pytest.approx(before.strengths, abs=1e-9)
    raised = after.both_bad_rates - before.both_bad_rates
    assert raised.argsort()[-2:].tolist() in ([2, 3], [3, 2])


def test_models_that_break_independently_have_the_log_odds_of_holding_as_ratings() -> None:
    """The expected counts of such models are fitted exactly, though safe pairs tie and weak pairs are both bad."""
    hold = np.array([0.95, 0.8, 0.6, 0.3])
    values = np.zeros((4, 4, 4))
    for first, second in zip(*np.nonzero(~np.eye(4, dtype=bool)), strict=True):
        a, b = hold[first], hold[second]
        values[first, second] = [a * (1 - b), b * (1 - a), a * b, (1 - a) * (1 - b)]
    ratings = fit(Counts(values * 1e7))
    odds = np.log(hold / (1 - hold))
    assert ratings.strengths == pytest.approx(odds - odds.mean(), abs=1e-3)
    assert ratings.tie_levels == pytest.approx((odds - odds.mean()) / 2, abs=1e-3)
    assert ratings.position == pytest.approx(0, abs=1e-9)


def test_true_strengths_are_recovered_from_their_expected_counts() -> None:
    truth = true_ratings(np.random.default_rng(2), 12)
    models = np.arange(12)
    shares = outcome_probabilities(truth, models[:, None], models[None, :])
    assert shares.sum(axis=-1) == pytest.approx(1)
    shares[models, models] = 0
    ratings = fit(Counts(shares * 1e8))
    for name in ("strengths", "tie_levels", "position", "tie"):
        assert getattr(ratings, name) == pytest.approx(getattr(truth, name), abs=1e-4)


@pytest.mark.parametrize("model", [PreferenceModel, BothBadModel])
def test_the_derivatives_are_those_of_the_log_likelihood(model: type[PreferenceModel | BothBadModel]) -> None:
    generator = np.random.default_rng(3)
    votes = simulate(generator, true_ratings(generator, 4), np.arange(300), INDEPENDENT)
    fitted = model(count_votes(votes, 4))
    point = generator.normal(0, 0.5, len(model.parameters(without_votes(4))))
    terms = fitted.terms(point)
    for index, step in enumerate(np.eye(len(point)) * 1e-5):
        above, below = fitted.terms(point + step), fitted.terms(point - step)
        assert (above.value - below.value) / 2e-5 == pytest.approx(terms.gradient[index], abs=1e-4)
        assert (below.gradient - above.gradient) / 2e-5 == pytest.approx(terms.information[index], abs=1e-4)


def test_a_fit_from_earlier_ratings_reaches_the_same_in_fewer_steps() -> None:
    generator = np.random.default_rng(4)
    votes = simulate(generator, true_ratings(generator, 20), np.arange(20_000), INDEPENDENT)
    counts = count_votes(votes, 20)
    earlier = fit(counts)
    counts.add(0, 1, Outcome.FIRST)
    warm, cold = fit(counts, earlier), fit(counts)
    assert warm.strengths == pytest.approx(cold.strengths, abs=1e-9)
    assert warm.steps < cold.steps
    assert warm.strengths[0] > earlier.strengths[0]


@pytest.mark.parametrize(
    "cells",
    [
        [],
        [(0, 1, Outcome.FIRST, 1_000_000)],
        [(0, 1, Outcome.TIE, 5)],
        [(0, 1, Outcome.BOTH_BAD, 1_000_000)],
        [(0, 1, Outcome.FIRST, 10), (2, 3, Outcome.SECOND, 10)],
        [(0, 1, Outcome.FIRST, 10**9), (1, 0, Outcome.FIRST, 1), (2, 3, Outcome.TIE, 10**9)],
    ],
    ids=["no votes", "always the same winner", "only ties", "only both bad", "disconnected", "huge"],
)
def test_ratings_are_finite_whatever_the_votes(cells: list[tuple[int, int, int, int]]) -> None:
    ratings = fit(counts_of(4, *cells))
    parts = [ratings.strengths, ratings.tie_levels, ratings.badness]
    numbers = [*np.concatenate(parts), ratings.position, ratings.tie, ratings.both_bad]
    assert np.abs(numbers).max() < 40
    assert ratings.strengths.sum() == pytest.approx(0, abs=1e-9)


def test_a_model_without_votes_has_the_mean_rating() -> None:
    ratings = fit(counts_of(3, (0, 1, Outcome.FIRST, 30), (1, 0, Outcome.FIRST, 10)))
    assert ratings.strengths[2] == pytest.approx(0, abs=1e-9)
    assert ratings.strengths[0] > 0 > ratings.strengths[1]


def test_evalica_agrees_where_both_models_coincide() -> None:
    """Without ties, "both bad" and effect of position, the model is that of Bradley and Terry."""
    votes = decisive_in_both_positions(8, 20_000, seed=5)
    winners = [evalica.Winner.X if outcome == Outcome.FIRST else evalica.Winner.Y for outcome in votes.outcome]
    result = evalica.bradley_terry(votes.first.tolist(), votes.second.tolist(), winners, tolerance=1e-10, limit=10_000)
    theirs = np.log(result.scores.sort_index().to_numpy())
    assert fit(count_votes(votes, 8)).strengths == pytest.approx(theirs - theirs.mean(), abs=2e-3)


def test_arena_rank_agrees_where_both_models_coincide() -> None:
    """The file says how its rows were made."""
    rows = json.loads(ARENA_RANK.read_text())
    counts = Counts(np.zeros((len(rows["ratings"]),) * 2 + (len(Outcome),), dtype=np.int64))
    for first, second, outcome, times in rows["counts"]:
        counts.add(first, second, outcome, times)
    theirs = np.array(rows["ratings"]) * math.log(10) / 400
    assert fit(counts).strengths == pytest.approx(theirs - theirs.mean(), abs=2e-3)


def test_probabilities_without_votes_are_equal_for_all_decisive_outcomes() -> None:
    shares = outcome_probabilities(without_votes(2), np.array([0]), np.array([1]))
    assert shares[0] == pytest.approx([1 / 6, 1 / 6, 1 / 6, 1 / 2])
    assert isinstance(without_votes(2), Ratings)
