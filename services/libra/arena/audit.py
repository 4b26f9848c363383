"""Checks the arena's laws from the store alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from libra.arena.integrity.vote_digest import digest_of, digest_of_all
from libra.arena.ratings.rating_book import RatingBook, Scope
from libra.arena.ratings.vote_table import QUESTIONS
from libra.statistics.arena.paired_comparison import ELO_PER_LOG_ODDS, fit
from libra.store.client import Store
from libra.v1 import arena_pb2 as pb
from libra.v1.arena_pb2 import AuditArenaResponse, Battle, Vote

MAX_VIOLATIONS = 100
PAGE = 1_000
MAX_POINTS = 0.01
"""Ratings that differ by more than this are not the same."""


class Auditor:
    """Reads every vote with its battle, and computes the ratings again."""

    def __init__(self, store: Store, served: RatingBook) -> None:
        self._store, self._served = store, served

    async def audit(self) -> AuditArenaResponse:
        """Return what is wrong. Raises Unavailable."""
        response, book, digests = AuditArenaResponse(), RatingBook(), list[str]()
        violations: list[str] = []
        page: list[Vote] = []
        async for vote in self._store.votes.list_since():
            page.append(vote)
            if len(page) == PAGE:
                violations += await self._check(page)
                page = self._take(page, book, digests)
        violations += await self._check(page)
        self._take(page, book, digests)
        book.set_quarantined((await self._store.quarantine.get_marks()).held)
        response.votes, response.digest = len(digests), digest_of_all(digests)
        response.battles = await self._store.battles.count_voted()
        if response.battles != response.votes:
            violations.append(f"{response.battles} battles have a vote, and there are {response.votes} votes")
        response.max_rating_difference = self._difference(book)
        if response.max_rating_difference > MAX_POINTS:
            violations.append(
                f"a served rating differs by {response.max_rating_difference:.2f} points from the one that the votes "
                "give"
            )
        response.violations.extend(violations[:MAX_VIOLATIONS])
        return response

    @staticmethod
    def _take(page: Sequence[Vote], book: RatingBook, digests: list[str]) -> list[Vote]:
        for vote in page:
            book.add(vote)
            digests.append(vote.digest)
        return []

    async def _check(self, votes: Sequence[Vote]) -> list[str]:
        ids = [vote.battle for vote in votes]
        battles = await self._store.battles.get_many(ids)
        closed_by = await self._store.votes.get_battle_digests(ids)
        found = []
        for vote in votes:
            stored = battles.get(vote.battle)
            battle = stored.battle if stored else None
            found += [f"the vote on battle {vote.battle} {what}" for what in _problems(vote, battle)]
            if stored is not None and closed_by.get(vote.battle) != vote.digest:
                found.append(f"the battle {vote.battle} was closed by another vote than the stored one")
        return found

    def _difference(self, book: RatingBook) -> float:
        """Return the greatest difference between the served ratings and those of the book, in points."""
        greatest = 0.0
        for question in QUESTIONS:
            scope = Scope(question)
            for model in self._served.table.models.names:
                book.enter(model)
            served = dict(
                zip(self._served.table.models.names, self._served.ratings(scope).strengths.tolist(), strict=True)
            )
            strengths = fit(book.counts(scope)).strengths
            again = dict(zip(book.table.models.names, strengths.tolist(), strict=True))
            differences = [abs(again[model] - served[model]) for model in served]
            greatest = max(greatest, float(np.max(differences, initial=0.0)) * ELO_PER_LOG_ODDS)
        return greatest


def _problems(vote: Vote, battle: Battle | None) -> list[str]:
    if digest_of(vote) != vote.digest:
        return ["was changed: its digest does not match"]
    if battle is None:
        return ["has no battle"]
    if battle.state != pb.BATTLE_STATE_VOTED:
        return ["is about a battle that was not closed by a vote"]
    if (vote.model_a, vote.model_b) != (battle.model_a, battle.model_b):
        return ["names other models than the battle"]
    return []
