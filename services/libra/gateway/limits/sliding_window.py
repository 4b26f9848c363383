"""Sliding windows over the last minute: requests started, tokens used, and the longest request.

A sliding window lets no burst pass across the boundary of two minutes. Within the window requests are spread evenly.
Without that, a minute's requests would all start at once and then none for the rest of the minute, and so on in each
minute that follows: a provider would see bursts, and a caller would wait behind one.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterable, Mapping

WINDOW_SECONDS = 61.0
"""A minute and a second: a provider counts requests as they arrive, and their travel times differ. This costs 1.6 % of
the rate."""

BURST_SECONDS = 0.5
"""A request may start this much earlier than its evenly spread time, so that a timer that fires late does not reduce
the rate."""

AGE_SECONDS = 1.0
"""The resolution in which the use of a window is reported: within the last second, the second before that, and so
on."""

ROLLING_MAX_SECONDS = 60.0


class RequestWindow:
    """Allows `limit` request starts in any window, evenly spread; 0 means no limit. Times are in seconds."""

    def __init__(self, limit: int, seconds: float = WINDOW_SECONDS) -> None:
        self.limit, self._seconds = limit, seconds
        self.target = limit
        """Starts are spread as for this limit. It is lower than `limit` while a part of the quota passes to another
        replica, and higher while a part arrives."""
        self._starts: deque[float] = deque()
        self._next_start = -math.inf
        """Start of the next request if all are spread evenly (the generic cell rate algorithm, ITU-T I.371)."""

    def wait_seconds(self, now: float) -> float:
        """Return how long until one more request may start; 0 if it may start now."""
        if not self.limit:
            return 0.0
        self._forget(now)
        excess = len(self._starts) - self.limit
        full_until = self._starts[excess] + self._seconds if excess >= 0 else now
        return max(full_until, self._next_start - BURST_SECONDS, now) - now

    def start(self, now: float) -> None:
        """Record the start of a request."""
        if self.limit:
            self._starts.append(now)
            self._next_start = max(self._next_start, now) + self._seconds / max(self.target, 1)

    def used(self, now: float) -> int:
        """Return how many requests started within the window."""
        self._forget(now)
        return len(self._starts)

    def used_by_age(self, now: float) -> Mapping[int, int]:
        """Return how many requests started, by age in steps of `AGE_SECONDS`."""
        return _by_age(((start, 1) for start in self._starts), now)

    def _forget(self, now: float) -> None:
        while self._starts and self._starts[0] <= now - self._seconds:
            self._starts.popleft()


class TokenWindow:
    """Allows `limit` tokens in any window; 0 means no limit.

    The tokens of a request are known only when it ends. Until then its estimate counts in full; afterwards the real
    number counts for one more window. No minute therefore holds more than `limit` tokens, provided that no estimate was
    too low.
    """

    def __init__(self, limit: int, seconds: float = WINDOW_SECONDS) -> None:
        self.limit, self._seconds = limit, seconds
        self._reserved = 0
        self._spent: deque[tuple[float, int]] = deque()
        self._spent_sum = 0

    def wait_seconds(self, tokens: int, now: float) -> float:
        """Return how long until a request of `tokens` may start: 0 for now, infinity if another request must end first.

        A request that is larger than the limit starts when no other request counts: it could never start otherwise.
        """
        if not self.limit:
            return 0.0
        self._forget(now)
        excess = self._reserved + self._spent_sum + min(tokens, self.limit) - self.limit
        if excess <= 0:
            return 0.0
        for time, spent in self._spent:
            excess -= spent
            if excess <= 0:
                return time + self._seconds - now
        return math.inf

    def start(self, tokens: int) -> int:
        """Reserve the estimate of a request that starts; return the reserved tokens, which `end` needs."""
        reserved = min(tokens, self.limit)
        self._reserved += reserved
        return reserved

    def end(self, reserved: int, spent: int, now: float) -> None:
        """Replace the reserved tokens of a request by the tokens that it spent."""
        self._reserved -= reserved
        if self.limit and spent:
            self._spent.append((now, spent))
            self._spent_sum += spent

    def used(self, now: float) -> int:
        """Return how many tokens of the window are spent or reserved."""
        self._forget(now)
        return self._reserved + self._spent_sum

    def used_by_age(self, now: float) -> Mapping[int, int]:
        """Return how many tokens were spent, by age in steps of `AGE_SECONDS`. Reserved tokens are not included."""
        return _by_age(self._spent, now)

    def _forget(self, now: float) -> None:
        while self._spent and self._spent[0][0] <= now - self._seconds:
            self._spent_sum -= self._spent.popleft()[1]


class RollingMax:
    """The longest duration of the last one to two minutes, in seconds."""

    def __init__(self) -> None:
        self._current: float | None = None
        self._previous: float | None = None
        self._since = 0.0

    def add(self, seconds: float) -> None:
        """Record a duration."""
        if self._current is None or seconds > self._current:
            self._current = seconds

    def seconds(self, now: float) -> float | None:
        """Return the longest duration; None if there was none yet."""
        if now - self._since >= ROLLING_MAX_SECONDS:
            if self._current is not None:
                self._previous = self._current
            self._current, self._since = None, now
        known = [each for each in (self._current, self._previous) if each is not None]
        return max(known) if known else None


def _by_age(amounts: Iterable[tuple[float, int]], now: float) -> Mapping[int, int]:
    found: Counter[int] = Counter()
    for time, amount in amounts:
        found[int((now - time) / AGE_SECONDS)] += amount
    return found
