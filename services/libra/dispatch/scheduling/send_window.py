"""How many trials more of one run may be sent for one model.

A model's batches wait in one queue, first come first served. What one run has waiting there is what another waits for: with a
window of 4,096 trials at 100 trials a second, 40 seconds. So a run sends beyond its share only what has been answered of it. A
share is counted in trials and in time: what a fast model answers before the next look must be there, and delays nobody for long.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from libra.stage.batch import MAX_TRIALS

USUAL_IN_FLIGHT = 8
"""Of a model whose entry does not say, as the gateway has it."""

SPARE_BATCHES = 4
"""In hand or on the way, beyond what can be in flight and as much again in the gateways' hands."""


AHEAD_SECONDS = 0.75
"""So much of what is answered lately is sent ahead: progress is known a third of a second late, and seldom half a second."""


@dataclass(frozen=True, slots=True)
class Room:
    """The bounds for one model: trials in flight are those that are sent and have no verdict."""

    share: int
    """A run has as many in flight whatever others have: with two runs in the queue, each gets half of what is answered."""

    most: int
    """A run never has more."""

    @classmethod
    def of(cls, in_flight: int, most: int) -> Room:
        """Return the bounds for a model that takes so many requests at once (0 if its entry does not say)."""
        return cls(min(2 * (in_flight or USUAL_IN_FLIGHT) + SPARE_BATCHES * MAX_TRIALS, most), most)

    def at(self, per_second: float) -> Room:
        """Return the bounds while so many trials are settled in a second."""
        return replace(self, share=min(self.share + round(per_second * AHEAD_SECONDS), self.most))

    def has(self, in_flight: int) -> int:
        """Return how many more may be sent without a look at the queue."""
        return max(0, self.share - in_flight)

    def beside(self, in_flight: int, unanswered_batches: int) -> int:
        """Return how many more may be sent when so many batches, of whatever run, wait for the model or are in a gateway's hands.

        They tell of a fast model before its verdicts do. And what is slow after the gateway, as a judge model may be, needs
        more in flight; then there are few of them.
        """
        enough = -(-self.share // MAX_TRIALS)
        return max(0, min(self.most - in_flight, (enough - unanswered_batches) * MAX_TRIALS))
