"""How many more trials of a run may be sent for one model.

All batches for a model wait in one queue, first in, first out, so trials that one run has waiting delay every other
run: with a window of 4,096 trials at 100 trials per second, by 40 seconds. Therefore a run sends more than its share
only as fast as its trials are answered. The share has a part in trials and a part in seconds: it must hold what a fast
model answers before the next poll, and that much delays nobody for long.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from libra.stage.batch import MAX_TRIALS

DEFAULT_MAX_IN_FLIGHT = 8
"""Requests in flight for a model whose entry sets no limit, as in the gateway."""

SPARE_BATCHES = 4
"""Batches between stages, in addition to the requests in flight and as many trials prefetched by the gateways."""


SEND_AHEAD_SECONDS = 0.75
"""Recent throughput times this is sent ahead: progress is known 0.33 s late, rarely 0.5 s late."""


@dataclass(frozen=True, slots=True)
class SendWindow:
    """The bounds on one model's trials in flight: trials that are sent and have no verdict."""

    share: int
    """In flight whatever other runs have: with two runs in the queue, each gets half of the throughput."""

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
        """Return how many more trials may be sent, given the batches of all runs that wait or are processed.

        The backlog shows that a model is fast before its verdicts do. And if a later stage is slow, such as a judge
        model, more trials must be in flight to keep the model busy; the backlog is short then.
        """
        needed_batches = -(-self.share // MAX_TRIALS)
        return max(0, min(self.max_trials - in_flight, (needed_batches - unfinished_batches) * MAX_TRIALS))
