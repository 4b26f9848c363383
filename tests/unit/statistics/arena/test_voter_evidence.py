from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit
from tests.simulated_votes import (
    Habits,
    joined,
    simulate,
    stuffed_votes,
    true_ratings,
    voter_sizes,
    with_extreme_voters,
)

from libra.statistics.arena import voter_evidence
from libra.statistics.arena.clustered_errors import clustered_errors
from libra.statistics.arena.paired_comparison import Ratings, fit, outcome_probabilities
from libra.statistics.arena.voter_evidence import (
    AGAINST_MODEL,
    BOTH_BAD,
    CHANCE,
    FALSE_FLAG_RATE,
    FOR_MODEL,
    POSITION_A,
    POSITION_B,
    POSITION_TOLERANCE,
    TIES,
    TOLERANCE,
    measure_evidence,
    quarantine,
)
from libra.statistics.arena.votes import Outcome, Votes, count_votes

MODELS = 10
LIMIT = -math.log(FALSE_FLAG_RATE)


def random_battles(generator: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    first = generator.integers(0, MODELS, size)
    return first, (first + generator.integers(1, MODELS, size)) % MODELS


def one_voter(outcome_of: Callable[[np.ndarray, np.ndarray], np.ndarray], size: int, seed: int = 0) -> Votes:
    """Return votes of one voter, whose outcome is a function of the models in positions A and B."""
    first, second = random_battles(np.random.default_rng(seed), size)
    return Votes(first, second, outcome_of(first, second), np.zeros(size, dtype=int))


@pytest.fixture(scope="module")
def truth() -> Ratings:
    return true_ratings(np.random.default_rng(1), MODELS)


def test_fewer_than_one_honest_voter_in_a_thousand_is_flagged(truth: Ratings) -> None:
    """Among them are tie-lovers, the strict, those who favour a side, and those with a taste for single models."""
    generator = np.random.default_rng(2)
    voter = voter_sizes(generator, 100_000, 4_000)
    votes = with_extreme_voters(simulate(generator, truth, voter, Habits()))
    assert measure_evidence(votes, truth, 4_000).is_flagged.mean() < 0.001


def favour_a_model(gap: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    shifted: np.ndarray = gap + TOLERANCE * (1.0 * (first == 4) - (second == 4))
    return shifted


def hardly_tell_models_apart(gap: np.ndarray, _first: np.ndarray, _second: np.ndarray) -> np.ndarray:
    shrunk: np.ndarray = np.sign(gap) * np.maximum(np.abs(gap) - TOLERANCE, 0)
    return shrunk


@pytest.mark.parametrize("deviate", [favour_a_model, hardly_tell_models_apart])
def test_the_expected_capital_of_each_gambler_is_at_most_1(
    truth: Ratings, deviate: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
) -> None:
    """Even against voters who deviate by all that honesty allows, and have ties and "both bad" for models as others do.

    The ratings say that models differ widely in all three.
    """
    wide = replace(
        truth, strengths=2 * truth.strengths, tie_levels=5 * truth.tie_levels, badness=4 * truth.badness, tie=0.5
    )
    generator = np.random.default_rng(3)
    voters, each = 6_000, 14
    voter = np.repeat(np.arange(voters), each)
    first, second = random_battles(generator, voters * each)
    shares = outcome_probabilities(wide, first, second)
    is_tie = generator.random(len(voter)) < shares[:, Outcome.TIE] / (1 - shares[:, Outcome.BOTH_BAD])
    gap = deviate(wide.strengths[first] - wide.strengths[second] + wide.position, first, second)
    outcome = np.where(generator.random(len(voter)) < expit(gap), Outcome.FIRST, Outcome.SECOND)
    outcome = np.where(is_tie, Outcome.TIE, outcome)
    outcome = np.where(generator.random(len(voter)) < shares[:, Outcome.BOTH_BAD], Outcome.BOTH_BAD, outcome)
    evidence = measure_evidence(Votes(first, second, outcome, voter), wide, voters)
    capital = np.exp(evidence.by_gambler)
    errors = capital.std(axis=0) / math.sqrt(voters)
    assert (capital.mean(axis=0) <= 1 + 3 * errors).all()
    assert (errors > 0).all()
    assert np.exp(evidence.log_e).mean() <= 1.05
    assert evidence.is_flagged.mean() <= 0.001


def test_a_habit_of_one_side_is_not_taken_for_a_taste(truth: Ratings) -> None:
    """Since positions are random, it may be as large as POSITION_TOLERANCE without one bet that is better than fair."""
    generator = np.random.default_rng(4)
    voters, each = 6_000, 14
    first, second = random_battles(generator, voters * each)
    gap = truth.strengths[first] - truth.strengths[second] + truth.position + POSITION_TOLERANCE
    outcome = np.where(generator.random(voters * each) < expit(gap), Outcome.FIRST, Outcome.SECOND)
    votes = Votes(first, second, outcome, np.repeat(np.arange(voters), each))
    capital = np.exp(measure_evidence(votes, truth, voters).by_gambler)
    assert (capital.mean(axis=0) <= 1 + 3 * capital.std(axis=0) / math.sqrt(voters)).all()


@pytest.mark.parametrize(
    ("gambler", "outcome"),
    [
        (POSITION_A, Outcome.FIRST),
        (POSITION_B, Outcome.SECOND),
    ],
    ids=["always A", "always B"],
)
def test_a_voter_who_always_clicks_the_same_side_is_flagged(truth: Ratings, gambler: int, outcome: Outcome) -> None:
    evidence = measure_evidence(one_voter(lambda a, _b: np.full(len(a), outcome), 80), truth, 1)
    assert 0 < evidence.flagged_after[0] <= 60
    assert evidence.by_gambler[0].argmax() == gambler


@pytest.mark.parametrize("outcome", [Outcome.TIE, Outcome.BOTH_BAD], ids=["tie", "both bad"])
def test_a_voter_who_always_says_the_same_of_both_models_is_never_flagged(truth: Ratings, outcome: Outcome) -> None:
    evidence = measure_evidence(one_voter(lambda a, _b: np.full(len(a), outcome), 500), truth, 1)
    assert evidence.max_log_e[0] == 0


@pytest.mark.parametrize(("is_for", "gambler"), [(True, FOR_MODEL), (False, AGAINST_MODEL)], ids=["for", "against"])
def test_a_stuffer_is_flagged_after_few_votes(truth: Ratings, gambler: int, *, is_for: bool) -> None:
    target = int(np.argsort(truth.strengths)[MODELS // 2])
    votes = stuffed_votes(np.random.default_rng(5), MODELS, target, np.arange(50), 40, is_for=is_for)
    evidence = measure_evidence(votes, truth, 50)
    assert evidence.is_flagged.all()
    assert np.median(evidence.flagged_after) <= 25
    assert (evidence.by_gambler.argmax(axis=1) == gambler).all()


def test_random_clicks_are_found_where_models_are_far_apart(truth: Ratings) -> None:
    generator = np.random.default_rng(6)
    far_apart = replace(truth, strengths=2 * truth.strengths)
    evidence = measure_evidence(one_voter(lambda a, _b: generator.integers(0, 2, len(a)), 600), far_apart, 1)
    assert evidence.is_flagged[0]
    assert evidence.by_gambler[0].argmax() == CHANCE


@pytest.mark.parametrize(("gambler", "kept"), [(TIES, Outcome.TIE), (BOTH_BAD, Outcome.BOTH_BAD)], ids=["tie", "bad"])
def test_a_voter_who_keeps_an_outcome_for_one_model_is_flagged(truth: Ratings, gambler: int, kept: Outcome) -> None:
    def outcome(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        better = np.where(truth.strengths[first] > truth.strengths[second], Outcome.FIRST, Outcome.SECOND)
        return np.where((first == 3) | (second == 3), kept, better)

    evidence = measure_evidence(one_voter(outcome, 200), truth, 1)
    assert evidence.is_flagged[0]
    assert evidence.by_gambler[0, gambler] > LIMIT


def test_a_voter_followed_alone_has_the_same_evidence(truth: Ratings, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(7)
    votes = simulate(generator, truth, voter_sizes(generator, 2_000, 60), Habits(taste=0.5))
    together = measure_evidence(votes, truth, 60)
    own = votes.subset(votes.voter == 7)
    alone = measure_evidence(Votes(own.first, own.second, own.outcome, np.zeros(len(own), dtype=int)), truth, 1)
    assert alone.log_e[0] == pytest.approx(together.log_e[7])
    assert alone.max_log_e[0] == pytest.approx(together.max_log_e[7])
    monkeypatch.setattr(voter_evidence, "BLOCK_CELLS", 7 * MODELS)
    in_blocks = measure_evidence(votes, truth, 60)
    assert in_blocks.by_gambler == pytest.approx(together.by_gambler)


def test_a_flag_stays_though_the_voter_turns_honest(truth: Ratings) -> None:
    generator = np.random.default_rng(8)
    stuffed = stuffed_votes(generator, MODELS, 2, np.array([0]), 40)
    honest = simulate(generator, truth, np.zeros(400, dtype=int), Habits())
    votes = Votes(
        *(
            np.concatenate([getattr(part, name) for part in (stuffed, honest)])
            for name in ("first", "second", "outcome", "voter")
        )
    )
    evidence = measure_evidence(votes, truth, 1)
    assert evidence.is_flagged[0]
    assert evidence.max_log_e[0] >= LIMIT
    assert evidence.flagged_after[0] <= 40


def test_without_votes_there_is_no_evidence(truth: Ratings) -> None:
    evidence = measure_evidence(Votes(*(np.empty(0, dtype=int) for _ in range(4))), truth, 3)
    assert evidence.log_e.tolist() == [0, 0, 0]
    assert not evidence.is_flagged.any()


def test_stuffed_votes_move_no_rating_beyond_its_interval_once_quarantined(truth: Ratings) -> None:
    """One vote in eleven is stuffed, for a model below the middle; nobody else is flagged."""
    generator = np.random.default_rng(9)
    voters, stuffers = 1_200, 40
    honest = with_extreme_voters(simulate(generator, truth, voter_sizes(generator, 20_000, voters), Habits()))
    target = int(np.argsort(truth.strengths)[MODELS // 4])
    stuffed = stuffed_votes(generator, MODELS, target, voters + np.arange(stuffers), 50)
    votes = joined(generator, honest, stuffed)
    before = fit(count_votes(honest, MODELS))
    half_widths = 1.96 * clustered_errors(honest, before).standard_errors
    assert (np.abs(fit(count_votes(votes, MODELS)).strengths - before.strengths) > 5 * half_widths).any()
    result = quarantine(votes, MODELS, voters + stuffers)
    assert np.abs(result.ratings.strengths - before.strengths).max() < half_widths.min()
    assert result.evidence.is_flagged[:voters].sum() <= 1
    assert result.evidence.is_flagged[voters:].all()


def test_many_stuffers_with_few_votes_do_not_make_each_other_look_usual(truth: Ratings) -> None:
    generator = np.random.default_rng(10)
    voters, stuffers = 600, 150
    honest = simulate(generator, truth, voter_sizes(generator, 10_000, voters), Habits())
    target = int(np.argsort(truth.strengths)[MODELS // 4])
    stuffed = stuffed_votes(generator, MODELS, target, voters + np.arange(stuffers), 22)
    result = quarantine(joined(generator, honest, stuffed), MODELS, voters + stuffers)
    assert result.evidence.is_flagged[voters:].mean() > 0.9
    assert not result.evidence.is_flagged[:voters].any()
