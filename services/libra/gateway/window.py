"""How much was begun within the last minute: a sliding window, so that no burst passes, not even across a full minute."""

from __future__ import annotations

import math
from collections import deque

WINDOW_SECONDS = 61.0
"""A minute and a second: requests spread out on their way, and the provider counts them as they arrive. It costs 1.6 % of
the rate."""


class RequestWindow:
    """The starts of requests, `most` in any window; 0 for no limit. Times are in seconds of one clock."""

    def __init__(self, most: int, seconds: float = WINDOW_SECONDS) -> None:
        self.most, self._seconds = most, seconds
        self._starts: deque[float] = deque()

    def wait_seconds(self, now: float) -> float:
        """Return how long until one more may start; 0 if it may now."""
        if not self.most:
            return 0.0
        while self._starts and self._starts[0] <= now - self._seconds:
            self._starts.popleft()
        excess = len(self._starts) - self.most
        return 0.0 if excess < 0 else self._starts[excess] + self._seconds - now

    def start(self, now: float) -> None:
        """Take in one start."""
        if self.most:
            self._starts.append(now)


class TokenWindow:
    """Tokens, `most` in any window; 0 for no limit.

    What a request will take is not known before it ends. Until then its estimate counts in full, afterwards what it took,
    for one window more: so no minute holds more than `most`, as long as no estimate was too low.
    """

    def __init__(self, most: int, seconds: float = WINDOW_SECONDS) -> None:
        self.most, self._seconds = most, seconds
        self._held = 0
        self._spent: deque[tuple[float, int]] = deque()
        self._spent_sum = 0

    def wait_seconds(self, tokens: int, now: float) -> float:
        """Return how long until a request of so many may start: 0 for now, infinity if another must end first.

        A request larger than the limit starts when it is alone: it could never start otherwise.
        """
        if not self.most:
            return 0.0
        self._forget(now)
        excess = self._held + self._spent_sum + min(tokens, self.most) - self.most
        if excess <= 0:
            return 0.0
        for time, spent in self._spent:
            excess -= spent
            if excess <= 0:
                return time + self._seconds - now
        return math.inf

    def start(self, tokens: int) -> int:
        """Hold the estimate of a request that starts; return what is held, for `end`."""
        held = min(tokens, self.most)
        self._held += held
        return held

    def end(self, held: int, spent: int, now: float) -> None:
        """Put what a request took in the place of what was held for it."""
        self._held -= held
        if self.most and spent:
            self._spent.append((now, spent))
            self._spent_sum += spent

    def _forget(self, now: float) -> None:
        while self._spent and self._spent[0][0] <= now - self._seconds:
            self._spent_sum -= self._spent.popleft()[1]
