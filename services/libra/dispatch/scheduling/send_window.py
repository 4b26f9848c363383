"""Number of trials of a run that may still be sent for one model.

All batches for a model wait in one queue, first in, first out. The waiting trials of one run therefore delay every
other run: with a window of 4,096 trials at 100 trials per second, by 40 seconds. So a run sends more than its share
only as fast as its trials are answered. The share is a number of trials plus some seconds of the model's throughput:
a fast model must not run out of trials before the next poll, and that many delay other runs only briefly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from libra.stage.batch import MAX_TRIALS

DEFAULT_MAX_IN_FLIGHT = 8
"""Requests in flight for a model whose entry sets no limit, as in the gateway."""

SPARE_BATCHES = 4
"""Batches between stages, in addition to the requests in flight and as many trials prefetched by the gateways."""


SEND_AHEAD_SECONDS = 0.75
"""The share includes the trials of this time at the recent throughput. Progress is known 0.33 s late, rarely 0.5 s."""


@dataclass(frozen=True, slots=True)
class SendWindow:
    """The bounds on one model's trials in flight: trials that are sent and have no verdict."""

    share: int
    """Trials that a run may always have in flight: with two runs in the queue, each gets half of the throughput."""

    max_trials: int
    """A run never has more in flight."""

    @classmethod
    def for_model(cls, max_in_flight: int, max_trials: int) -> SendWindow:
        """Return the bounds for a model that serves `max_in_flight` requests at once (0: its entry sets no limit)."""
        return cls(
            min(2 * (max_in_flight or DEFAULT_MAX_IN_FLIGHT) + SPARE_BATCHES * MAX_TRIALS, max_trials), max_trials
        )

    def scaled_to(self, settled_per_second: float) -> SendWindow:
        """Return the bounds for a model with this throughput."""
        return replace(self, share=min(self.share + round(settled_per_second * SEND_AHEAD_SECONDS), self.max_trials))

    def available(self, in_flight: int) -> int:
        """Return how many more trials may be sent if the backlog is unknown."""
        return max(0, self.share - in_flight)

    def available_given_backlog(self, in_flight: int, unfinished_batches: int) -> int:
        """Return how many more trials may be sent, given the model's unfinished batches of all runs.

        The backlog shows that a model is fast before its verdicts do. And if a later stage is slow, for instance with a
        judge model, more trials must be in flight to keep the model busy; then the backlog is short.
        """
        needed_batches = -(-self.share // MAX_TRIALS)
        return max(0, min(self.max_trials - in_flight, (needed_batches - unfinished_batches) * MAX_TRIALS))
