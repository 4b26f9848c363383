"""When a request is made again: a retry is data."""

from __future__ import annotations

from dataclasses import dataclass

from libra.gateway.provider.result import Fault, Kind


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often, and after how long. Times are in seconds."""

    attempts: int = 8
    """Requests for one answer, at most, while the provider fails."""

    timeouts: int = 2
    """Requests for one answer, at most, that run into the model's timeout."""

    base_seconds: float = 1.0
    most_seconds: float = 60.0
    budget_seconds: float = 600.0
    """No request begins later than this after the first, waits for permits not counted; it alone bounds "slow down"."""

    retry_after_most_seconds: float = 300.0

    def range_seconds(self, failures: int) -> float:
        """Return the longest wait after `failures` failures in a row, from 1: doubling, up to the most."""
        # Capped before it is raised to: 2**5000 is no float.
        return min(self.most_seconds, self.base_seconds * 2.0 ** min(failures - 1, 62))

    def retry_after_seconds(self, fault: Fault) -> float | None:
        """Return for how long the provider asked to be left alone, capped; None if it did not ask."""
        if fault.retry_after_seconds is None:
            return None
        return min(max(fault.retry_after_seconds, 0.0), self.retry_after_most_seconds)

    def worst_seconds(self, timeout_seconds: float) -> float:
        """Return how long one answer can take, from its first request to its last byte, not counting waits for a permit."""
        longest_wait = max(self.most_seconds, self.retry_after_most_seconds)
        return self.budget_seconds + longest_wait + timeout_seconds


@dataclass(slots=True)
class RetryState:
    """What has been tried for one answer."""

    policy: RetryPolicy
    failures: int = 0
    timeouts: int = 0
    slow_downs: int = 0

    @property
    def attempts(self) -> int:
        """Requests made that came to nothing."""
        return self.failures + self.timeouts + self.slow_downs

    def wait_seconds(self, fault: Fault, passed_seconds: float, draw: float) -> float | None:
        """Take in one more fault; return how long to wait before the next request, or None to give up.

        `passed_seconds` since the first request began, waits for permits not counted. `draw` in [0, 1) is where in the range the wait lies: full jitter,
        so that requests that failed together do not come back together. A Retry-After is waited for to the second.
        """
        self._count(fault.kind)
        if fault.kind is Kind.FINAL or self._used_up():
            return None
        wait = self.policy.retry_after_seconds(fault)
        if wait is None:
            wait = draw * self.policy.range_seconds(self.attempts)
        return wait if passed_seconds + wait <= self.policy.budget_seconds else None

    def _count(self, kind: Kind) -> None:
        match kind:
            case Kind.TIMEOUT:
                self.timeouts += 1
            case Kind.SLOW_DOWN:
                self.slow_downs += 1
            case _:
                self.failures += 1

    def _used_up(self) -> bool:
        return self.failures >= self.policy.attempts or self.timeouts >= self.policy.timeouts
