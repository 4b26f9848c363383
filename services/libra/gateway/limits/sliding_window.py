"""How much was begun within the last minute: a sliding window, so that no burst passes, not even across a full minute.

Within it requests are spread out. A window alone would let a minute's worth pass at once and then nothing for the rest of the
minute, and the same in each minute that follows: a provider would see bursts, and a caller would wait behind one.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterable, Mapping

WINDOW_SECONDS = 61.0
"""A minute and a second: requests spread out on their way, and the provider counts them as they arrive. It costs 1.6 % of
the rate."""

BURST_SECONDS = 0.5
"""So much earlier than its turn a request may start: a timer that fires late then costs nothing of the rate."""


class RequestWindow:
    """The starts of requests, evenly spread, `most` in any window; 0 for no limit. Times are in seconds of one clock."""

    def __init__(self, most: int, seconds: float = WINDOW_SECONDS) -> None:
        self.most, self._seconds = most, seconds
        self.pace = most
        """They are spread out as if this were `most`: less where a part of it is being handed over, more where one comes."""
        self._starts: deque[float] = deque()
        self._turn = -math.inf
        """When the next request would start, were all spread out (as in the generic cell rate algorithm, ITU-T I.371)."""

    def wait_seconds(self, now: float) -> float:
        """Return how long until one more may start; 0 if it may now."""
        if not self.most:
            return 0.0
        self._forget(now)
        excess = len(self._starts) - self.most
        full = self._starts[excess] + self._seconds if excess >= 0 else now
        return max(full, self._turn - BURST_SECONDS, now) - now

    def start(self, now: float) -> None:
        """Take in one start."""
        if self.most:
            self._starts.append(now)
            self._turn = max(self._turn, now) + self._seconds / max(self.pace, 1)

    def used(self, now: float) -> int:
        """Return how many of the window are used up."""
        self._forget(now)
        return len(self._starts)

    def ages(self, now: float, step_seconds: float) -> Mapping[int, int]:
        """Return how many of them began how many steps ago."""
        return _by_age(((start, 1) for start in self._starts), now, step_seconds)

    def _forget(self, now: float) -> None:
        while self._starts and self._starts[0] <= now - self._seconds:
            self._starts.popleft()


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

    def used(self, now: float) -> int:
        """Return how many tokens of the window are used up or held."""
        self._forget(now)
        return self._held + self._spent_sum

    def ages(self, now: float, step_seconds: float) -> Mapping[int, int]:
        """Return how many were spent how many steps ago; what is held is not among them."""
        return _by_age(self._spent, now, step_seconds)

    def _forget(self, now: float) -> None:
        while self._spent and self._spent[0][0] <= now - self._seconds:
            self._spent_sum -= self._spent.popleft()[1]


def _by_age(amounts: Iterable[tuple[float, int]], now: float, step_seconds: float) -> Mapping[int, int]:
    found: Counter[int] = Counter()
    for time, amount in amounts:
        found[int((now - time) / step_seconds)] += amount
    return found
