"""Trials in hand for one model, and how many batches more would keep it busy."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from libra.stage.batch import MAX_TRIALS

NEWS = 0.2
"""Weight of the newest batch in the mean of their sizes."""


class Share:
    """The trials of one batch that have no answer yet."""

    def __init__(self, trials: int, hand: TrialBudget) -> None:
        self.trials = trials
        self._hand = hand

    def answered(self) -> None:
        """One trial less."""
        self.trials -= 1
        self._hand.changed.set()


class TrialBudget:
    """Counts trials rather than batches, which may hold 64 of them or one.

    A model is kept busy by as many trials as may be in flight and as many again, at least a batch of them, ready to take
    their place while the next batches come. To hold more would only keep them from other replicas.
    """

    def __init__(self, in_flight: Callable[[], int]) -> None:
        """`in_flight` tells how many requests this replica may have in flight now."""
        self._in_flight = in_flight
        self.changed = asyncio.Event()
        self._shares: set[Share] = set()
        self._mean_size = float(MAX_TRIALS)

    @property
    def enough(self) -> int:
        """Trials that keep the model busy."""
        in_flight = self._in_flight()
        return in_flight + max(in_flight, MAX_TRIALS)

    @property
    def trials(self) -> int:
        """Trials in hand without an answer."""
        return sum(share.trials for share in self._shares)

    def take(self, trials: int) -> Share:
        """Take a batch in hand."""
        share = Share(trials, self)
        self._shares.add(share)
        self._mean_size += NEWS * (trials - self._mean_size)
        return share

    def put_down(self, share: Share) -> None:
        """Be done with a batch, however it ended."""
        self._shares.discard(share)
        self.changed.set()

    def wanted(self) -> int:
        """Return how many batches more there is use for."""
        missing = self.enough - self.trials
        return max(1, round(missing / max(self._mean_size, 1.0))) if missing > 0 else 0
