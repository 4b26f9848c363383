"""The state machine of one model: when it is parked, when it is probed, when it is open again. It has no clock."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from libra.gateway.parking.policy import QUOTA_CAUSES, ParkPolicy
from libra.gateway.provider.result import BlockCause, FaultKind, ProviderAnswer, ProviderFault, ProviderResult

SAME_SECONDS = 0.25
"""Times of the store, turned into those of this process's clock, differ by less."""


@dataclass(frozen=True, slots=True)
class Park:
    """Cause and start of a model's parking, and the next probe. Times are of a monotonic clock, in seconds."""

    cause: BlockCause
    reason: str
    parked_at: float
    probe_at: float
    probes: int = 0
    is_named: bool = False
    """Whether the provider has named the time of the next probe."""

    def is_same(self, other: Park | None) -> bool:
        """Return whether two entries differ in nothing but the precision of their times, read on another clock."""
        if other is None:
            return False
        near = replace(self, parked_at=other.parked_at, probe_at=other.probe_at) == other
        distance = max(abs(self.parked_at - other.parked_at), abs(self.probe_at - other.probe_at))
        return near and distance < SAME_SECONDS


@dataclass(slots=True)
class ParkState:
    """Decides from the results of requests whether a model is parked."""

    policy: ParkPolicy
    park: Park | None = None
    answered_at: float = -math.inf
    faults: int = 0
    """Faults in a row that other requests would meet as well, without an answer between them."""

    def on_result(self, result: ProviderResult, now: float, *, is_probe: bool) -> None:
        """Record the result of a request."""
        if isinstance(result, ProviderAnswer):
            self.answered_at, self.faults, self.park = now, 0, None
            return
        cause = self.policy.cause_of(result)
        if self.park is not None:
            self._on_fault_while_parked(self.park, result, cause, now, is_probe=is_probe)
        elif cause is not None:
            self.faults += 1
            if self._is_enough(cause, now):
                self.park = self._with_probe(Park(cause, result.reason, now, now), result, now)

    def give_up_at(self, since: float = -math.inf) -> float:
        """Return when a request fails that waits since then, at the latest; infinity unless the model is parked."""
        if self.park is None:
            return math.inf
        patience_until = max(self.park.parked_at, since) + self.policy.patience_for(self.park.cause)
        # If the provider has named a later time, there is nothing to wait for.
        is_hopeless = self.park.is_named and self.park.probe_at > patience_until
        return max(self.park.parked_at, since) if is_hopeless else patience_until

    def _on_fault_while_parked(
        self, park: Park, fault: ProviderFault, cause: BlockCause | None, now: float, *, is_probe: bool
    ) -> None:
        if not is_probe:
            return  # it was in flight when the model was parked
        if cause is None and fault.kind is FaultKind.FINAL:
            self.faults, self.park = 0, None  # this request is at fault; the endpoint works
            return
        again = replace(park, cause=cause or park.cause, reason=fault.reason, probes=park.probes + 1)
        self.park = self._with_probe(again, fault, now)

    def _with_probe(self, park: Park, fault: ProviderFault, now: float) -> Park:
        """Return the park with the time of its next probe."""
        named_seconds = fault.retry_after_seconds
        wait_seconds = self.policy.probe_wait_seconds(park.cause, park.probes, named_seconds)
        return replace(park, probe_at=now + wait_seconds, is_named=wait_seconds == named_seconds)

    def _is_enough(self, cause: BlockCause, now: float) -> bool:
        """Return whether a fault proves that the model cannot be asked, rather than that one request is odd."""
        has_answered = now - self.answered_at < self.policy.recent_seconds
        return cause in QUOTA_CAUSES or not has_answered or self.faults >= self.policy.faults
