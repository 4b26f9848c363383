"""Evidence that the votes of a voter are not like those of others, valid after every vote: sequential e-values.

A voter is honest, here, if the log odds of each of these three events differ from those that the ratings give by no
more than TOLERANCE; or by no more than POSITION_TOLERANCE if they depend on the position alone, which is random:

- position A wins a decisive vote;
- of two successive votes that are not "both bad" and one of which is a tie, the tie is the second;
- of two successive votes one of which is "both bad", that is the second.

How often a voter says tie or "both bad" is in none of them: an honest voter may do so always or never. Seven gamblers
bet against honesty: that position A wins; that B wins; that the model favoured so far wins; that the model disfavoured
so far loses; that the winner is a matter of chance; that ties are for one model; that "both bad" is for one model. A
bet on an event to which honesty gives at most the probability p multiplies a gambler's capital by q / p if it occurs
and by (1 - q) / (1 - p) if not, with q = BET above p; its expectation under honesty is at most 1. The e-value is the
mean of the seven capitals: a nonnegative supermartingale, which ever reaches 1 / alpha with a probability of at most
alpha (Ville 1939; Ramdas, Gruenwald, Vovk and Shafer 2023, "Game-theoretic statistics and safe anytime-valid
inference", Statistical Science 38).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logsumexp

from libra.statistics.arena.paired_comparison import Ratings, fit
from libra.statistics.arena.votes import Outcome, Votes, count_votes

FALSE_FLAG_RATE = 0.0005
"""alpha: the largest probability with which an honest voter is ever flagged."""

TOLERANCE = 0.5
"""The log odds by which an honest voter may differ from the ratings."""

POSITION_TOLERANCE = 1.0
"""The same for bets on a position: readers favour a side more readily than a model."""

BET = 0.98
"""q: the probability that a gambler gives to the event on which the bet is.

Capital grows only if an event to which the ratings give an even chance occurs in more than 87 % of the cases.
"""

GAMBLERS = ("position A", "position B", "for a model", "against a model", "chance", "ties", "both bad")
"""The kinds of votes against which there may be evidence, in the order of `VoterEvidence.by_gambler`."""

POSITION_A, POSITION_B, FOR_MODEL, AGAINST_MODEL, CHANCE, TIES, BOTH_BAD = range(len(GAMBLERS))

SUSPICION = 2.0
"""The logarithm of an e-value from which on a voter does not count in the ratings by which voters are tested."""

MAX_ROUNDS = 5
"""Maximum number of times that the ratings without suspects are computed; they hardly change after the third."""

BLOCK_CELLS = 10_000_000
"""Voters are processed in blocks of about this number of pairs of voter and model, 120 MB."""

NO_MODEL = -1


@dataclass(frozen=True, slots=True, eq=False)
class VoterEvidence:
    """The evidence against each voter after all votes."""

    log_e: np.ndarray
    """The natural logarithm of the present e-value; shape (voters,)."""

    max_log_e: np.ndarray
    """The largest that it has been after any vote; shape (voters,)."""

    flagged_after: np.ndarray
    """The number of the voter's votes after which it first reached the limit, counted from 1; 0 if never."""

    by_gambler: np.ndarray
    """The logarithm of each gambler's capital after all votes; shape (voters, len(GAMBLERS))."""

    @property
    def is_flagged(self) -> np.ndarray:
        """True for each flagged voter; shape (voters,)."""
        flags: np.ndarray = self.flagged_after > 0
        return flags


@dataclass(frozen=True, slots=True, eq=False)
class Quarantine:
    """The evidence against voters, and the ratings without the votes of those who are flagged."""

    evidence: VoterEvidence

    ratings: Ratings
    """The ratings from the votes of all voters that are not flagged."""


def quarantine(votes: Votes, models: int, voters: int) -> Quarantine:
    """Flag voters and fit the ratings without them.

    Voters are tested by ratings that leave out all suspects, flagged or not, and in which each voter counts at most
    about once for each model. So those who vote often for one model do not make their own votes look usual.
    """
    capped = Votes(votes.first, votes.second, votes.outcome, votes.voter, weight=_capped_weights(votes, models))
    suspected = np.zeros(voters, dtype=bool)
    for _ in range(MAX_ROUNDS):
        reference = fit(count_votes(capped.without_voters(suspected), models))
        evidence = measure_evidence(votes, reference, voters)
        if np.array_equal(evidence.max_log_e >= SUSPICION, suspected):
            break
        suspected = evidence.max_log_e >= SUSPICION
    return Quarantine(evidence, fit(count_votes(votes.without_voters(evidence.is_flagged), models)))


def _capped_weights(votes: Votes, models: int) -> np.ndarray:
    """Return weights by which the votes of one voter on one model sum to at most 1."""
    first, second = (votes.voter * models + side for side in (votes.first, votes.second))
    times = np.bincount(np.concatenate([first, second]))
    weights: np.ndarray = 1.0 / np.maximum(times[first], times[second])
    return weights


def measure_evidence(votes: Votes, ratings: Ratings, voters: int) -> VoterEvidence:
    """Return the evidence against each voter, from the ratings of models and the votes in the order of time.

    To follow one voter, pass that voter's votes alone, with 0 as the voter of each.
    """
    expected = _Expected.of(ratings)
    size = max(1, BLOCK_CELLS // len(ratings.strengths))
    starts = np.arange(0, voters + size, size)
    order = np.argsort(votes.voter, kind="stable")
    ends = np.searchsorted(votes.voter[order], starts)
    parts = [
        _measure_block(votes.subset(order[start:end]), first_voter, min(size, voters - first_voter), expected)
        for first_voter, (start, end) in zip(starts.tolist(), itertools.pairwise(ends), strict=False)
    ]
    columns = zip(*((each.log_e, each.max_log_e, each.flagged_after, each.by_gambler) for each in parts), strict=True)
    return VoterEvidence(*map(np.concatenate, columns))


def _measure_block(votes: Votes, first_voter: int, voters: int, expected: _Expected) -> VoterEvidence:
    """Return the evidence against the voters from `first_voter` on; the votes are in the order of voters."""
    game = _Game(voters, len(expected.gap))
    limit, log_e, max_log_e = -math.log(FALSE_FLAG_RATE), np.zeros(voters), np.zeros(voters)
    flagged_after = np.zeros(voters, dtype=np.int64)
    for number, rows in enumerate(_successive_votes(votes.voter), 1):
        voter = votes.voter[rows] - first_voter
        game.play(_Step.of(voter, votes.first[rows], votes.second[rows], votes.outcome[rows], expected))
        log_e[voter] = logsumexp(game.capital[voter], axis=1) - math.log(len(GAMBLERS))
        max_log_e[voter] = np.maximum(max_log_e[voter], log_e[voter])
        reached = voter[(log_e[voter] >= limit) & (flagged_after[voter] == 0)]
        flagged_after[reached] = number
    return VoterEvidence(log_e, max_log_e, flagged_after, game.capital)


def _successive_votes(voter: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the positions of the first vote of each voter, then of the second, and so on; `voter` is sorted."""
    starts = np.flatnonzero(np.diff(voter, prepend=-1))
    numbers = np.arange(len(voter)) - np.repeat(starts, np.diff(starts, append=len(voter)))
    order = np.argsort(numbers, kind="stable")
    yield from np.split(order, np.flatnonzero(np.diff(numbers[order])) + 1) if len(voter) else ()


@dataclass(frozen=True, slots=True, eq=False)
class _Expected:
    """The odds of votes on each ordered pair by the ratings; each has shape (models, models)."""

    gap: np.ndarray
    """The log odds of A in a decisive vote."""

    tie_odds: np.ndarray
    """The log odds of a tie in a vote that is not "both bad"."""

    bad_odds: np.ndarray
    """The log odds of "both bad"."""

    @classmethod
    def of(cls, ratings: Ratings) -> _Expected:
        gap = np.subtract.outer(ratings.strengths, ratings.strengths) + ratings.position
        decisive = np.logaddexp(gap / 2, -gap / 2)
        return cls(
            gap,
            ratings.tie + np.add.outer(ratings.tie_levels, ratings.tie_levels) - decisive,
            ratings.both_bad + np.add.outer(ratings.badness, ratings.badness),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    """One vote of each of several voters, with what is expected of it; each has shape (voters,)."""

    voter: np.ndarray
    first: np.ndarray
    second: np.ndarray
    outcome: np.ndarray
    gap: np.ndarray
    tie_odds: np.ndarray
    bad_odds: np.ndarray

    @classmethod
    def of(
        cls, voter: np.ndarray, first: np.ndarray, second: np.ndarray, outcome: np.ndarray, expected: _Expected
    ) -> _Step:
        tables = (expected.gap, expected.tie_odds, expected.bad_odds)
        return cls(voter, first, second, outcome, *(table[first, second] for table in tables))

    def subset(self, selected: np.ndarray) -> _Step:
        return _Step(*(getattr(self, name)[selected] for name in self.__slots__))

    def has(self, model: np.ndarray) -> np.ndarray:
        """Return where the model of each voter is in the battle."""
        found: np.ndarray = (self.first == model) | (self.second == model)
        return found


class _Game:
    """The capital of all gamblers, and what they know of each voter."""

    def __init__(self, voters: int, models: int) -> None:
        """Start with a capital of 1 for each gambler against each voter."""
        self.capital = np.zeros((voters, len(GAMBLERS)))
        """The logarithm of the capital."""
        self._wins = _Surplus(voters, models)
        self._ties, self._bad = _Contrast(voters, models), _Contrast(voters, models)

    def play(self, step: _Step) -> None:
        """Let all gamblers bet on one vote of each of these voters, and pay."""
        decisive = step.subset(step.outcome <= Outcome.SECOND)
        self._play_decisive(decisive)
        compared = step.subset(step.outcome != Outcome.BOTH_BAD)
        self.capital[compared.voter, TIES] += self._ties.play(
            compared, compared.outcome == Outcome.TIE, compared.tie_odds
        )
        self.capital[step.voter, BOTH_BAD] += self._bad.play(step, step.outcome == Outcome.BOTH_BAD, step.bad_odds)

    def _play_decisive(self, step: _Step) -> None:
        is_first = step.outcome == Outcome.FIRST
        favoured, disfavoured = self._wins.highest(step.voter), self._wins.lowest(step.voter)
        ones = np.ones(len(step.voter))
        bets = {
            POSITION_A: (ones, POSITION_TOLERANCE),
            POSITION_B: (-ones, POSITION_TOLERANCE),
            FOR_MODEL: (1.0 * (step.first == favoured) - (step.second == favoured), TOLERANCE),
            AGAINST_MODEL: (1.0 * (step.second == disfavoured) - (step.first == disfavoured), TOLERANCE),
        }
        for gambler, (side, tolerance) in bets.items():
            ratio = _log_ratio(expit(side * step.gap + tolerance), is_first == (side > 0))
            self.capital[step.voter, gambler] += np.where(side == 0, 0.0, ratio)
        least = expit(np.maximum(np.abs(step.gap) - TOLERANCE, 0.0))
        is_expected = is_first == (step.gap > 0)
        self.capital[step.voter, CHANCE] += np.log(0.5 / np.where(is_expected, least, 1 - least))
        surplus = is_first - expit(step.gap)
        self._wins.add(step.voter, step.first, surplus)
        self._wins.add(step.voter, step.second, -surplus)


def _log_ratio(null: np.ndarray, occurred: np.ndarray) -> np.ndarray:
    """Return the logarithm of what a bet pays on events that have at most the probability `null` under honesty."""
    bet = np.maximum(null, BET)
    ratio: np.ndarray = np.log(np.where(occurred, bet / null, (1 - bet) / (1 - null)))
    return ratio


class _Surplus:
    """Excess of the events of each voter on each model over their expected number."""

    def __init__(self, voters: int, models: int) -> None:
        """Start with 0 for all."""
        self._sums = np.zeros((voters, models), dtype=np.float32)

    def add(self, voter: np.ndarray, model: np.ndarray, surplus: np.ndarray) -> None:
        """Add to one model of each of these voters; no voter occurs twice."""
        self._sums[voter, model] += surplus

    def highest(self, voter: np.ndarray) -> np.ndarray:
        """Return the model with the largest surplus of each voter; NO_MODEL if none is above 0."""
        return self._extreme(voter, 1.0)

    def lowest(self, voter: np.ndarray) -> np.ndarray:
        """Return the model with the smallest surplus of each voter; NO_MODEL if none is below 0."""
        return self._extreme(voter, -1.0)

    def _extreme(self, voter: np.ndarray, sign: float) -> np.ndarray:
        sums = self._sums[voter] * np.float32(sign)
        model = sums.argmax(axis=1)
        return np.where(np.take_along_axis(sums, model[:, None], axis=1)[:, 0] > 0, model, NO_MODEL)


class _Contrast:
    """Bets on which of two successive votes is the event, if one of them is.

    How often a voter causes the event is without influence on that, in whatever way it differs from others.
    """

    def __init__(self, voters: int, models: int) -> None:
        """Start without a vote that waits for its second."""
        self._surplus = _Surplus(voters, models)
        self._model = np.full(voters, NO_MODEL)
        self._is_waiting, self._occurred, self._had_model = (np.zeros(voters, dtype=bool) for _ in range(3))
        self._odds = np.zeros(voters)

    def play(self, step: _Step, occurred: np.ndarray, odds: np.ndarray) -> np.ndarray:
        """Return the logarithm of what the bets on these votes pay; 0 for the first vote of two."""
        voter = step.voter
        is_second = self._is_waiting[voter]
        has_model = step.has(self._model[voter])
        is_bet = is_second & (occurred != self._occurred[voter]) & (has_model != self._had_model[voter])
        sign = np.where(has_model, 1.0, -1.0)
        null = expit(sign * (odds - self._odds[voter]) + TOLERANCE)
        paid = np.where(is_bet, _log_ratio(null, occurred == has_model), 0.0)
        self._remember(step.subset(~is_second), occurred[~is_second], odds[~is_second])
        self._is_waiting[voter] = ~is_second
        for model in (step.first, step.second):
            self._surplus.add(voter, model, occurred - expit(odds))
        return paid

    def _remember(self, step: _Step, occurred: np.ndarray, odds: np.ndarray) -> None:
        """Choose the model of the bet before the first of two votes is known, and keep that vote."""
        model = self._surplus.highest(step.voter)
        self._model[step.voter], self._had_model[step.voter] = model, step.has(model)
        self._occurred[step.voter], self._odds[step.voter] = occurred, odds
