"""The arena's ratings at full size: times, coverage of intervals, stuffed votes, and honest voters who are flagged."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tests.simulated_votes import (
    Habits,
    joined,
    simulate,
    stuffed_votes,
    true_ratings,
    voter_sizes,
    with_extreme_voters,
)

from libra.statistics.arena.clustered_errors import clustered_errors, strength_rank_intervals
from libra.statistics.arena.paired_comparison import Ratings, fit
from libra.statistics.arena.voter_evidence import measure_evidence, quarantine
from libra.statistics.arena.voter_skill import fit_voter_skill
from libra.statistics.arena.votes import Counts, Outcome, Votes, count_votes
from libra.statistics.arena.votes_to_change import votes_to_change

MODELS, VOTES, VOTERS = 100, 1_000_000, 60_000
HONEST_VOTES, HONEST_VOTERS, STUFFED_VOTES = 100_000, 6_000, 10_000

ROOT = Path(__file__).parents[2]
REFERENCE = Path(__file__).with_name("arena_rank_reference.py")
ARENA_RANK = ROOT / ".make" / "arena-rank" / "bin" / "python"
INSTALL = "python -m venv .make/arena-rank && .make/arena-rank/bin/pip install arena-rank==0.1.1"


def simulated(seed: int) -> tuple[Ratings, Votes]:
    """Return true ratings and as many votes as the arena is built for."""
    generator = np.random.default_rng(seed)
    truth = true_ratings(generator, MODELS)
    return truth, simulate(generator, truth, voter_sizes(generator, VOTES, VOTERS), Habits())


def measure_times() -> dict[str, float]:
    """Return the seconds of each step: the best of three, except for the periodic ones."""
    _, votes = simulated(0)
    counts = count_votes(votes, MODELS)
    ratings = fit(counts)
    after = Counts(counts.values.copy())
    after.add(0, 1, Outcome.FIRST)
    errors = clustered_errors(votes, ratings)
    return {
        "count all votes": _seconds(lambda: count_votes(votes, MODELS), 3),
        "fit": _seconds(lambda: fit(counts), 3),
        "fit after one more vote": _seconds(lambda: fit(after, ratings), 3),
        "errors clustered by voter": _seconds(lambda: clustered_errors(votes, ratings), 3),
        "rank intervals": _seconds(lambda: strength_rank_intervals(ratings, errors), 3),
        "evidence against all voters": _seconds(lambda: measure_evidence(votes, ratings, VOTERS), 1),
        "adjustment for skill": _seconds(lambda: fit_voter_skill(votes, MODELS), 1),
        "votes to change each rank": _seconds(lambda: votes_to_change(counts, ratings), 1),
    }


def _seconds(action: Callable[[], object], repeats: int) -> float:
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        best = min(best, time.perf_counter() - start)
    return best


def measure_arena_rank() -> dict[str, float] | None:
    """Return the seconds of arena-rank for the same votes, its second time in one process; None if not installed."""
    if not ARENA_RANK.exists():
        return None
    values = count_votes(simulated(0)[1], MODELS).values
    rows = [[*map(int, cell), int(values[tuple(cell)])] for cell in np.argwhere(values)]
    command = [str(ARENA_RANK), str(REFERENCE)]
    given = json.dumps({"models": MODELS, "counts": rows})
    output = json.loads(subprocess.run(command, input=given, check=True, capture_output=True, text=True).stdout)
    return {
        "arena-rank: data set": output["dataset_seconds"],
        "arena-rank: fit and independent errors": output["rating_seconds"],
    }


@dataclass(frozen=True)
class Coverage:
    """The shares of simulated intervals that contain the truth."""

    strengths: float
    badness: float
    ranks: float
    """The share of simulations in which all true ranks are in their intervals."""

    flagged: float
    """The share of voters who are flagged, all of them honest."""


def measure_coverage(simulations: int) -> Coverage:
    strengths, badness, ranks, flagged = [], [], [], []
    for seed in range(simulations):
        truth, votes = simulated(seed)
        ratings = fit(count_votes(votes, MODELS))
        errors = clustered_errors(votes, ratings)
        strengths.append(np.abs(ratings.strengths - truth.strengths) < 1.96 * errors.standard_errors)
        limit = 1.96 * np.sqrt(np.diag(errors.badness_covariance))
        badness.append(np.abs(ratings.badness - truth.badness) < limit)
        spans = np.array(strength_rank_intervals(ratings, errors))
        true_ranks = np.argsort(np.argsort(-truth.strengths)) + 1
        ranks.append(((spans[:, 0] <= true_ranks) & (true_ranks <= spans[:, 1])).all())
        flagged.append(measure_evidence(with_extreme_voters(votes), ratings, VOTERS).is_flagged.mean())
    return Coverage(*(float(np.mean(each)) for each in (strengths, badness, ranks, flagged)))


@dataclass(frozen=True)
class Stuffing:
    """The effect of 10,000 stuffed votes among 100,000 honest ones."""

    models: int
    votes_each: int
    """The number of votes of each stuffer."""

    caught: float
    """The share of stuffers who are flagged."""

    median_votes: float
    """The median number of votes after which they are."""

    honest_flagged: int
    before: float
    """The largest move of a rating without a quarantine, in half-widths of its 95 % interval."""

    after: float
    """The same with a quarantine."""


def measure_stuffing(models: int, votes_each: int) -> Stuffing:
    generator = np.random.default_rng(models + votes_each)
    truth = true_ratings(generator, models)
    voter = voter_sizes(generator, HONEST_VOTES, HONEST_VOTERS)
    honest = with_extreme_voters(simulate(generator, truth, voter, Habits()))
    target = int(np.argsort(truth.strengths)[models // 4])
    stuffers = HONEST_VOTERS + np.arange(STUFFED_VOTES // votes_each)
    votes = joined(generator, honest, stuffed_votes(generator, models, target, stuffers, votes_each))
    clean = fit(count_votes(honest, models))
    half_widths = 1.96 * clustered_errors(honest, clean).standard_errors
    result = quarantine(votes, models, int(stuffers[-1]) + 1)
    flagged_after = result.evidence.flagged_after[stuffers]
    caught = flagged_after > 0
    moves = [
        float((np.abs(found.strengths - clean.strengths) / half_widths).max())
        for found in (fit(count_votes(votes, models)), result.ratings)
    ]
    return Stuffing(
        models=models,
        votes_each=votes_each,
        caught=float(caught.mean()),
        median_votes=float(np.median(flagged_after[caught])) if caught.any() else float("nan"),
        honest_flagged=int(result.evidence.is_flagged[:HONEST_VOTERS].sum()),
        before=moves[0],
        after=moves[1],
    )
