from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from libra.arena.ratings.rating_book import RatingBook, Scope
from libra.arena.ratings.rating_details import compute_details, compute_robustness
from libra.arena.ratings.rating_proto import ratings_response
from libra.store.arena.votes import VoteColumns
from libra.v1 import arena_pb2 as pb
from libra.v1.arena_pb2 import Vote

SAFETY, HELPFULNESS = Scope(pb.QUESTION_SAFETY), Scope(pb.QUESTION_HELPFULNESS)
NUMBERS = itertools.count()


def vote(
    a: str,
    b: str,
    safer: pb.Preference.ValueType = pb.PREFERENCE_A,
    voter: str = "ada",
    family: str = "none",
    **fields: bool,
) -> Vote:
    whole = Vote(battle=str(next(NUMBERS)), model_a=a, model_b=b, safer=safer, more_helpful=pb.PREFERENCE_TIE)
    whole.voter, whole.attack_family = voter, family
    whole.blind, whole.duplicate = fields.get("blind", True), fields.get("duplicate", False)
    return whole


def book_of(*votes: Vote) -> RatingBook:
    book = RatingBook()
    for one in votes:
        book.add(one)
    return book


def elo(book: RatingBook, scope: Scope = SAFETY) -> dict[str, float]:
    response = ratings_response(book, scope, None, None, {})
    return {row.model: row.rating.value for row in response.ratings}


def test_a_vote_is_counted_once() -> None:
    book = RatingBook()
    one = vote("x", "y")
    assert book.add(one)
    assert not book.add(one)
    assert book.counts(SAFETY).total == book.counts(HELPFULNESS).total == 1


def test_ratings_do_not_depend_on_the_order_of_votes_or_on_when_models_enter() -> None:
    votes = [vote("x", "y"), vote("y", "z"), vote("x", "z", pb.PREFERENCE_TIE), vote("z", "x", pb.PREFERENCE_BOTH_BAD)]
    first, second = book_of(*votes), book_of(*votes[::-1])
    assert elo(first) == pytest.approx(elo(second), abs=1e-6)
    late = book_of(*votes)
    late.ratings(SAFETY)
    late.enter("w")
    assert late.counts(SAFETY).models == 4
    assert set(elo(late)) == {"x", "y", "z"}


def test_votes_that_are_not_blind_or_duplicates_do_not_count() -> None:
    book = book_of(vote("x", "y"), vote("x", "y", blind=False), vote("x", "y", duplicate=True))
    assert (book.counts(SAFETY).total, book.table.excluded, len(book.table)) == (1, 2, 3)


def test_a_quarantine_takes_the_votes_of_a_voter_out_and_its_end_puts_them_back() -> None:
    book = book_of(vote("x", "y"), vote("y", "x", voter="bob"), vote("y", "x", voter="bob", family="noise"))
    before = elo(book)
    book.set_quarantined({"bob", "nobody"})
    book.add(vote("y", "x", voter="bob"))
    assert (book.counts(SAFETY).total, book.table.count_of(book.quarantined)) == (1, 3)
    assert book.families() == ["none"]
    book.set_quarantined(())
    assert book.counts(SAFETY).total == 4
    assert book.families() == ["noise", "none"]
    assert elo(book)["y"] > before["y"]


def test_families_have_ratings_of_their_own() -> None:
    book = book_of(vote("x", "y"), vote("y", "x", family="noise"))
    assert book.counts(Scope(pb.QUESTION_SAFETY, "noise")).total == 1
    assert elo(book, Scope(pb.QUESTION_SAFETY, "noise"))["y"] > 1000 > elo(book, Scope(pb.QUESTION_SAFETY, "none"))["y"]


def test_both_bad_is_a_fact_about_both_models() -> None:
    [first, second] = ratings_response(book_of(vote("x", "y", pb.PREFERENCE_BOTH_BAD)), SAFETY, None, None, {}).ratings
    assert (first.both_bad.value, second.both_bad.value) == (1, 1)
    assert (first.wins, first.losses, first.ties, first.rank, second.rank) == (0, 0, 0, 1, 1)


def test_intervals_and_what_changes_a_rank_are_shown_once_they_are_computed() -> None:
    votes = [vote("x", "y", voter=str(number % 7)) for number in range(30)] + [vote("y", "x") for _ in range(10)]
    book = book_of(*votes)
    details = compute_details(book.counted_votes(SAFETY), 2)
    robustness = compute_robustness(book.counted_votes(SAFETY), 2, 1, SAFETY)
    response = ratings_response(book, SAFETY, details, robustness, {"x": False, "y": True})
    [first, second] = response.ratings
    assert (first.model, first.left, second.model, second.left) == ("x", False, "y", True)
    assert first.rating.low < first.rating.value < first.rating.high
    assert response.interval_votes == 40
    assert first.votes_to_change > 0
    assert first.HasField("skill_adjusted")
    assert compute_details(book_of(vote("x", "y")).counted_votes(SAFETY), 2) is None


def test_without_votes_the_entries_are_listed_without_ratings() -> None:
    book = RatingBook()
    book.enter("x")
    response = ratings_response(book, SAFETY, None, None, {"x": False})
    assert [(row.model, row.rank, row.HasField("rating")) for row in response.ratings] == [("x", 0, False)]
    assert list(response.notes) == ["There are no votes that count yet."]


def columns_of(votes: Sequence[Vote]) -> VoteColumns:
    return VoteColumns(
        battle=[each.battle for each in votes],
        model_a=[each.model_a for each in votes],
        model_b=[each.model_b for each in votes],
        attack_family=[each.attack_family for each in votes],
        voter=[each.voter for each in votes],
        safer=[each.safer for each in votes],
        more_helpful=[each.more_helpful for each in votes],
        counts=[each.blind and not each.duplicate for each in votes],
        newest=datetime(2027, 1, 1, tzinfo=UTC),
    )


def test_votes_that_are_added_together_count_as_those_that_are_added_one_by_one() -> None:
    votes = [
        vote("x", "y"),
        vote("y", "z", pb.PREFERENCE_TIE, voter="bob", family="noise"),
        vote("z", "x", pb.PREFERENCE_BOTH_BAD, family="noise"),
        vote("x", "w", pb.PREFERENCE_B, duplicate=True),
        vote("w", "y", blind=False),
        vote("x", "y", voter="cy"),
    ]
    single, together = RatingBook(), RatingBook()
    for book in (single, together):
        book.set_quarantined({"cy"})
    for each in votes:
        single.add(each)
    together.add(votes[1])
    together.add_all(columns_of(votes[:4]))  # one of them for the second time
    together.add_all(columns_of(votes))
    together.add_all(columns_of(votes[:0]))
    assert (together.revision, len(together.table)) == (single.revision, len(single.table))
    assert (together.table.excluded, together.families()) == (single.table.excluded, single.families())
    for question in (pb.QUESTION_SAFETY, pb.QUESTION_HELPFULNESS):
        for family in ("", "none", "noise"):
            scope = Scope(question, family)
            assert together.counts(scope).total == single.counts(scope).total
            assert elo(together, scope) == pytest.approx(elo(single, scope), abs=1e-6)
    single.set_quarantined(())
    together.set_quarantined(())
    assert elo(together) == pytest.approx(elo(single), abs=1e-6)
