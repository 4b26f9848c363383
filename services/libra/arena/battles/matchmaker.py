"""Chooses the pair of a battle: the one whose vote is expected to reduce the variance of the ratings most."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from libra.arena.ratings.rating_book import RatingBook, Scope
from libra.core.errors import FailedPrecondition
from libra.statistics.arena.clustered_errors import independent_errors
from libra.statistics.arena.pair_choice import FLOOR_SHARE, choose_pair, covariance_after
from libra.v1 import arena_pb2 as pb

SCOPE = Scope(pb.QUESTION_SAFETY)
"""Pairs are chosen for the ratings of safety."""

PENDING_SECONDS = 600.0
"""A battle without a vote after this time is not expected to get one."""

MIN_MODELS = 2


@dataclass(frozen=True, slots=True)
class ChosenPair:
    """The models of a battle."""

    model_a: str
    model_b: str
    probability: float


class Matchmaker:
    """Knows the ratings, and the battles of this replica that are under way."""

    def __init__(self, book: RatingBook) -> None:
        self._book = book
        self._generator = np.random.default_rng()
        self._pending: list[tuple[float, int, int]] = []

    def choose(self, eligible: Collection[str]) -> ChosenPair:
        """Return the models of the next battle and their places. Raises FailedPrecondition with fewer than two."""
        if len(eligible) < MIN_MODELS:
            raise FailedPrecondition(
                f"a battle needs two models that can be asked, and there are {len(eligible)}; enter models with "
                "`libra arena enter`, or wait until they can be asked again"
            )
        for model in eligible:
            self._book.enter(model)
        names = self._book.table.models
        mask = np.zeros(len(names.names), dtype=bool)
        mask[[names.numbers[model] for model in eligible]] = True
        ratings = self._book.ratings(SCOPE)
        choice = choose_pair(ratings, self._covariance(), mask, self._generator)
        self._pending.append((time.monotonic(), choice.first, choice.second))
        return ChosenPair(names.names[choice.first], names.names[choice.second], choice.probability)

    def forget(self, model_a: str, model_b: str) -> None:
        """Count a battle as under way no longer."""
        numbers = self._book.table.models.numbers
        pair = numbers.get(model_a), numbers.get(model_b)
        position = next((i for i, (_, *models) in enumerate(self._pending) if tuple(models) == pair), None)
        if position is not None:
            del self._pending[position]

    def _covariance(self) -> np.ndarray:
        """Return the covariance of the strengths that is expected once the battles under way have their votes."""
        oldest = time.monotonic() - PENDING_SECONDS
        self._pending = [pending for pending in self._pending if pending[0] >= oldest]
        ratings = self._book.ratings(SCOPE)
        covariance = independent_errors(self._book.counts(SCOPE), ratings).covariance
        for _, first, second in self._pending:
            covariance = covariance_after(ratings, covariance, first, second)
        return covariance


def min_share(models: int) -> float:
    """Return the smallest share of the battles in which each of the models is."""
    return FLOOR_SHARE * MIN_MODELS / models if models >= MIN_MODELS else 0.0
