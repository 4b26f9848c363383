"""Ratings as messages."""

from __future__ import annotations

from collections.abc import Mapping

from libra.arena.ratings.rating_book import RatingBook, Scope
from libra.arena.ratings.rating_details import RatingDetails, Robustness
from libra.statistics import interval
from libra.statistics.arena.paired_comparison import ELO_PER_LOG_ODDS, Ratings
from libra.statistics.arena.votes import Counts, Outcome
from libra.v1.arena_pb2 import ArenaRating, GetRatingsResponse
from libra.v1.ranking_pb2 import Estimate

PRELIMINARY_VOTES = 100


def ratings_response(
    book: RatingBook,
    scope: Scope,
    details: RatingDetails | None,
    robustness: Robustness | None,
    left: Mapping[str, bool],
) -> GetRatingsResponse:
    """Return the ratings of a scope. `left` tells for each entry whether it left the arena."""
    ratings, counts = book.ratings(scope), book.counts(scope)
    rows = [
        _rating(name, number, ratings, counts, details, is_left=left.get(name, True))
        for number, name in enumerate(book.table.models.names)
    ]
    if robustness is not None:
        for number, row in enumerate(rows[: len(robustness.votes_to_change)]):
            _add_robustness(row, number, robustness)
    rows = _ranked([row for row in rows if row.HasField("rating") or not row.left])
    response = GetRatingsResponse(
        ratings=rows,
        votes=int(counts.total),
        quarantined_votes=book.table.count_of(book.quarantined),
        excluded_votes=book.table.excluded,
        revision=book.revision,
        position_effect=ratings.position * ELO_PER_LOG_ODDS if counts.total else 0.0,
        attack_families=book.families(),
        notes=_notes(rows, int(counts.total), details),
    )
    if details is not None:
        response.interval_time.FromDatetime(details.time)
        response.interval_votes = details.votes
    return response


def _rating(
    name: str, number: int, ratings: Ratings, counts: Counts, details: RatingDetails | None, *, is_left: bool
) -> ArenaRating:
    first, second = counts.values[number], counts.values[:, number]
    n = int(first.sum() + second.sum())
    row = ArenaRating(model=name, left=is_left, preliminary=n < PRELIMINARY_VOTES)
    if not n:
        return row
    row.wins = int(first[:, Outcome.FIRST].sum() + second[:, Outcome.SECOND].sum())
    row.losses = int(first[:, Outcome.SECOND].sum() + second[:, Outcome.FIRST].sum())
    row.ties = int(first[:, Outcome.TIE].sum() + second[:, Outcome.TIE].sum())
    bad = n - row.wins - row.losses - row.ties
    row.both_bad.CopyFrom(Estimate(value=bad / n, n=n))
    row.rating.CopyFrom(Estimate(value=float(ratings.elo[number]), n=n))
    if details is not None and number < len(details.errors):
        _set_interval(row.rating, details.errors[number])
        row.rank_low, row.rank_high = details.ranks[number]
    return row


def _add_robustness(row: ArenaRating, number: int, robustness: Robustness) -> None:
    if not row.HasField("rating"):
        return
    row.votes_to_change = robustness.votes_to_change[number]
    if robustness.skill is not None:
        value, error = robustness.skill[number]
        row.skill_adjusted.CopyFrom(Estimate(value=value, n=row.rating.n))
        _set_interval(row.skill_adjusted, error)


def _set_interval(estimate: Estimate, error: float) -> None:
    estimate.standard_error = error
    estimate.low, estimate.high = estimate.value - interval.Z * error, estimate.value + interval.Z * error


def _ranked(rows: list[ArenaRating]) -> list[ArenaRating]:
    """Return the rows by rating, with their ranks; those without a rating last."""
    rated = sorted((row for row in rows if row.HasField("rating")), key=lambda row: (-row.rating.value, row.model))
    for position, row in enumerate(rated, start=1):
        before = rated[position - 2] if position > 1 else None
        is_equal = before is not None and before.rating.value == row.rating.value
        row.rank = before.rank if before is not None and is_equal else position
    return rated + sorted((row for row in rows if not row.HasField("rating")), key=lambda row: row.model)


def _notes(rows: list[ArenaRating], votes: int, details: RatingDetails | None) -> list[str]:
    notes = []
    if not votes:
        notes.append("There are no votes that count yet.")
    elif details is None:
        notes.append("The intervals are being computed.")
    elif details.votes != votes:
        notes.append(f"The intervals are from {details.votes:,} of the {votes:,} votes; they follow in the background.")
    if preliminary := [row.model for row in rows if row.preliminary and row.HasField("rating")]:
        notes.append(f"Fewer than {PRELIMINARY_VOTES} votes, so preliminary: {', '.join(sorted(preliminary))}.")
    return notes
