from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from tests.simulated_votes import voter_sizes

from libra.statistics.arena import voter_skill
from libra.statistics.arena.voter_skill import fit_voter_skill
from libra.statistics.arena.votes import Outcome, Votes

MODELS, VOTERS, SIZE = 8, 300, 3_000
OFFSET = -0.8


def attacked(
    seed: int, skill_sd: float, families: int = 1, *, strong_meet_first: bool = False
) -> tuple[np.ndarray, np.ndarray, Votes]:
    """Return true resistances, strengths of attack families, and votes by attackers of different skill.

    If the strong meet the first model, it is in 60 % of their battles and in 5 % of those of weak attackers.
    """
    generator = np.random.default_rng(seed)
    resistances, strengths = generator.normal(0, 0.7, MODELS), generator.normal(0, 0.5, families)
    resistances, strengths = resistances - resistances.mean(), strengths - strengths.mean()
    skill, voter = generator.normal(0, skill_sd, VOTERS), voter_sizes(generator, SIZE, VOTERS)
    first, family = generator.integers(0, MODELS, SIZE), generator.integers(0, families, SIZE)
    if strong_meet_first:
        share = np.where(skill[voter] > 0, 0.6, 0.05)
        first = np.where(generator.random(SIZE) < share, 0, generator.integers(1, MODELS, SIZE))
    second = (first + generator.integers(1, MODELS, SIZE)) % MODELS
    odds = OFFSET + skill[voter] + strengths[family]
    broke_first, broke_second = (generator.random(SIZE) < expit(odds - resistances[side]) for side in (first, second))
    outcome = np.where(broke_first, Outcome.SECOND, np.where(broke_second, Outcome.FIRST, Outcome.TIE))
    outcome = np.where(broke_first & broke_second, Outcome.BOTH_BAD, outcome)
    return resistances, strengths, Votes(first, second, outcome, voter, family=family)


def test_intervals_contain_the_true_resistances() -> None:
    contained, spreads = [], []
    for seed in range(12):
        resistances, _, votes = attacked(seed, skill_sd=1.0)
        adjusted = fit_voter_skill(votes, MODELS)
        contained.append(np.abs(adjusted.resistances - resistances) < 1.96 * adjusted.standard_errors)
        spreads.append(adjusted.skill_sd)
    assert np.mean(contained) > 0.9
    assert np.mean(spreads) == pytest.approx(1.0, abs=0.1)


def test_a_model_that_met_the_strong_attackers_is_not_blamed_for_them() -> None:
    """Without the random effect, its log odds of holding come out far too low."""
    bias, unadjusted = [], []
    for seed in range(4):
        resistances, _, votes = attacked(seed, skill_sd=1.5, strong_meet_first=True)
        adjusted = fit_voter_skill(votes, MODELS)
        bias.append(adjusted.resistances[0] - resistances[0])
        one_each = Votes(votes.first, votes.second, votes.outcome, np.arange(len(votes)))
        unadjusted.append(fit_voter_skill(one_each, MODELS).resistances[0] - resistances[0])
    assert np.mean(unadjusted) < -0.4
    assert abs(np.mean(bias)) < 0.3 * abs(np.mean(unadjusted))


def test_attackers_of_equal_skill_show_no_spread() -> None:
    _, _, votes = attacked(1, skill_sd=0.0)
    adjusted = fit_voter_skill(votes, MODELS)
    assert adjusted.skill_sd < 0.25
    assert adjusted.hold_rate == pytest.approx(expit(-OFFSET), abs=0.03)


def test_the_strengths_of_attack_families_are_estimated_too() -> None:
    resistances, strengths, votes = attacked(2, skill_sd=0.8, families=3)
    adjusted = fit_voter_skill(votes, MODELS, families=3)
    assert adjusted.families == pytest.approx(strengths, abs=0.2)
    assert np.abs(adjusted.resistances - resistances).max() < 4 * adjusted.standard_errors.max()


def test_processing_by_blocks_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, votes = attacked(3, skill_sd=1.0)
    expected = fit_voter_skill(votes, MODELS)
    monkeypatch.setattr(voter_skill, "BLOCK_CELLS", 20 * MODELS)
    found = fit_voter_skill(votes, MODELS)
    assert found.resistances == pytest.approx(expected.resistances)
    assert found.covariance == pytest.approx(expected.covariance)


@pytest.mark.parametrize("outcome", [None, Outcome.BOTH_BAD, Outcome.TIE], ids=["no votes", "all break", "all hold"])
def test_extreme_votes_have_finite_ratings(outcome: Outcome | None) -> None:
    size = 0 if outcome is None else 40
    votes = Votes(
        np.zeros(size, dtype=int), np.ones(size, dtype=int), np.full(size, int(outcome or 0)), np.arange(size) // 4
    )
    adjusted = fit_voter_skill(votes, 3)
    assert np.isfinite(adjusted.resistances).all()
    assert np.isfinite(adjusted.standard_errors).all()
    assert 0 <= adjusted.hold_rate <= 1
