"""The retry policy as data, and the state of one answer's retries."""

from __future__ import annotations

from dataclasses import dataclass

from libra.gateway.provider.result import FaultKind, ProviderFault

MAX_UNREADABLE = 2
"""Maximum number of requests for one answer that bring something else than an answer."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Limits on requests for one answer, and the delays between them. `libra.gateway.settings` has the defaults."""

    attempts: int
    """Maximum number of requests for one answer while the provider fails."""

    timeouts: int
    """Maximum number of requests for one answer that run into the model's timeout."""

    base_seconds: float
    max_seconds: float
    budget_seconds: float
    """No request begins later than this after the first; time spent waiting for permits does not count."""

    retry_after_max_seconds: float

    def range_seconds(self, failures: int) -> float:
        """Return the longest wait after `failures` failures in a row, from 1: it doubles up to `max_seconds`."""
        # The exponent is capped first, since 2.0**5000 overflows.
        return min(self.max_seconds, self.base_seconds * 2.0 ** min(failures - 1, 62))

    def retry_after_seconds(self, fault: ProviderFault) -> float | None:
        """Return the wait that the provider asked for, up to the maximum; None if it did not ask."""
        if fault.retry_after_seconds is None:
            return None
        return min(max(fault.retry_after_seconds, 0.0), self.retry_after_max_seconds)

    def worst_seconds(self, timeout_seconds: float) -> float:
        """Return how long one answer can take from its first request to its last byte, without waits for permits."""
        longest_wait = max(self.max_seconds, self.retry_after_max_seconds)
        return self.budget_seconds + longest_wait + timeout_seconds


@dataclass(slots=True)
class RetryState:
    """Counts the failed requests for one answer."""

    policy: RetryPolicy
    failures: int = 0
    unreadable: int = 0
    timeouts: int = 0
    slow_downs: int = 0
    adjusted: int = 0
    """Requests of which the endpoint refused a parameter; they are repeated at once."""

    @property
    def attempts(self) -> int:
        """Requests that brought no answer."""
        return self.failures + self.unreadable + self.timeouts + self.slow_downs + self.adjusted

    def wait_seconds(self, fault: ProviderFault, passed_seconds: float, draw: float) -> float | None:
        """Record a fault; return how long to wait before the next request, or None to give up.

        `passed_seconds` is the time since the first request began, without waits for permits. `draw` in [0, 1) is the
        position of the wait in its range (full jitter), so that requests that failed together are not repeated
        together. A Retry-After is waited for exactly.
        """
        self._count(fault.kind)
        if fault.kind is FaultKind.FINAL or self._is_exhausted():
            return None
        wait = self.policy.retry_after_seconds(fault)
        if wait is None:
            wait = draw * self.policy.range_seconds(self.attempts - self.adjusted)
        return wait if passed_seconds + wait <= self.policy.budget_seconds else None

    def _count(self, kind: FaultKind) -> None:
        match kind:
            case FaultKind.TIMEOUT:
                self.timeouts += 1
            case FaultKind.SLOW_DOWN:
                self.slow_downs += 1
            case FaultKind.UNREADABLE:
                self.unreadable += 1
            case _:
                self.failures += 1

    def _is_exhausted(self) -> bool:
        return (
            self.failures + self.unreadable >= self.policy.attempts
            or self.unreadable >= MAX_UNREADABLE
            or self.timeouts >= self.policy.timeouts
        )
