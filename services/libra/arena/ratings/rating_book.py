"""Point ratings that are current after every vote: counts in memory, and a fit from the previous ratings."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import numpy as np

from libra.arena.ratings.vote_table import QUESTIONS, VoteRow, VoteTable
from libra.statistics.arena.paired_comparison import Ratings, fit, without_votes
from libra.statistics.arena.votes import Counts, Outcome, Votes, count_votes
from libra.store.arena.votes import VoteColumns
from libra.v1 import arena_pb2 as pb
from libra.v1.arena_pb2 import Vote


class Scope(NamedTuple):
    """The question and the attack family that ratings belong to."""

    question: pb.Question.ValueType
    family: str = ""
    """The family of attacks; "" for all battles."""


class RatingBook:
    """Counts by scope. Everything is computed from the votes and the quarantine, in any order of adding."""

    def __init__(self) -> None:
        self.table = VoteTable()
        self.revision = 0
        self.quarantined: frozenset[str] = frozenset()
        self._counts: dict[Scope, Counts] = {}
        self._ratings: dict[Scope, tuple[int, Ratings]] = {}

    def enter(self, model: str) -> None:
        """Give a model without votes a place in the ratings."""
        if model not in self.table.models.numbers:
            self.table.models.number(model)
            self.revision += 1

    def add(self, vote: Vote) -> bool:
        """Count a vote; return False if it was counted before."""
        row = self.table.add(vote)
        if row is None:
            return False
        self.revision += 1
        if row.counts and vote.voter not in self.quarantined:
            self._count(row, vote.attack_family)
        return True

    def add_all(self, votes: VoteColumns) -> None:
        """Count those of the votes that were not counted before."""
        known = len(self.table)
        found = self.table.extend(votes)
        self.revision += len(self.table) - known
        quarantined = self.table.mask_of(self.quarantined)
        for question, new in found.items():
            counted = new.without_voters(quarantined)
            self._padded(Scope(question)).add_votes(counted)
            families = np.zeros(0, dtype=np.int64) if counted.family is None else counted.family
            for number in np.unique(families).tolist():
                scope = Scope(question, self.table.families.names[number])
                self._padded(scope).add_votes(counted.subset(families == number))

    def set_quarantined(self, voters: Collection[str]) -> None:
        """Count only the votes of all other voters."""
        if self.quarantined == frozenset(voters):
            return
        self.quarantined = frozenset(voters)
        self.revision += 1
        self._counts = {}
        for question in QUESTIONS:
            for family in ("", *self.table.families.names):
                scope = Scope(question, family)
                self._counts[scope] = count_votes(self.counted_votes(scope), len(self.table.models.names))

    def counted_votes(self, scope: Scope) -> Votes:
        """Return the votes that count."""
        votes = self.table.votes(scope.question).without_voters(self.table.mask_of(self.quarantined))
        if not scope.family or votes.family is None:
            return votes
        return votes.subset(votes.family == self.table.families.numbers.get(scope.family, -1))

    def counts(self, scope: Scope) -> Counts:
        """Return the counts of a scope."""
        return self._padded(scope)

    def ratings(self, scope: Scope) -> Ratings:
        """Return the point ratings of a scope, in the order of `table.models`."""
        models = len(self.table.models.names)
        known = self._ratings.get(scope)
        if known is not None and known[0] == self.revision:
            return known[1]
        start = known[1] if known is not None and len(known[1].strengths) == models else None
        ratings = fit(self._padded(scope), start) if models else without_votes(0)
        self._ratings[scope] = (self.revision, ratings)
        return ratings

    def families(self) -> list[str]:
        """Return the families that have votes that count, in order."""
        scopes = [Scope(QUESTIONS[0], family) for family in sorted(self.table.families.names)]
        return [scope.family for scope in scopes if self._padded(scope).total]

    def _count(self, row: VoteRow, family: str) -> None:
        for question, outcome in row.outcomes.items():
            for scope in (Scope(question), Scope(question, family)):
                self._padded(scope).add(row.first, row.second, outcome)

    def _padded(self, scope: Scope) -> Counts:
        """Return the counts of a scope, for all models that there are now."""
        models = len(self.table.models.names)
        counts = self._counts.get(scope) or Counts(np.zeros((models, models, len(Outcome)), dtype=np.int64))
        if counts.models < models:
            grown = np.zeros((models, models, len(Outcome)), dtype=counts.values.dtype)
            grown[: counts.models, : counts.models] = counts.values
            counts = Counts(grown)
        self._counts[scope] = counts
        return counts
