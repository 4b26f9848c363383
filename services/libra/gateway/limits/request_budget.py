"""Concurrency and rate: whether one more request to a model may start now, and how long it must wait otherwise."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from libra.gateway.limits.aimd import AimdLimit
from libra.gateway.limits.sliding_window import RequestWindow, RollingMax, TokenWindow
from libra.gateway.limits.slow_start import SlowStart
from libra.v1.model_pb2 import ModelLimits

DEFAULT_IN_FLIGHT = 8

MAX_REQUEST_FACTOR = 1.25
"""A request is assumed to last at most this many times as long as the longest request of the last minutes."""

Quota = tuple[int, int, int]
"""An amount of each limit: requests in flight, requests per minute, tokens per minute."""

NO_QUOTA: Quota = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """The limits of one model for all replicas together. 0 means no limit, except for requests in flight."""

    in_flight: int = DEFAULT_IN_FLIGHT
    requests_per_minute: int = 0
    tokens_per_minute: int = 0

    @classmethod
    def of(cls, limits: ModelLimits) -> RequestLimits:
        """Return the limits of a registered model, with defaults applied."""
        in_flight = limits.max_in_flight or DEFAULT_IN_FLIGHT
        return cls(in_flight, limits.requests_per_minute, limits.tokens_per_minute)

    @property
    def quota(self) -> Quota:
        """The limits as a quota."""
        return self.in_flight, self.requests_per_minute, self.tokens_per_minute


@dataclass(frozen=True, slots=True)
class QuotaUsage:
    """The demand of a replica on a model's limits, and its current use of them."""

    demand: int
    """Requests that would be in flight if there were no limit."""

    used: Quota
    used_by_age: tuple[Mapping[int, int], Mapping[int, int], Mapping[int, int]]
    """The used part of each window, by age in steps of `AGE_SECONDS`; empty for the requests in flight."""

    max_request_seconds: float
    """Requests that are in flight end within this time."""


@dataclass(frozen=True, slots=True)
class Permit:
    """Permission to make one request."""

    started: float
    reserved_tokens: int


class RequestBudget:
    """Applies the quota of this replica, slow start, the learned concurrency, and pauses. It has no clock of its own.

    Until `set_quota` is called, the quota is the whole of the limits.
    """

    def __init__(self, limits: RequestLimits) -> None:
        self.in_flight = 0
        self.allocated = limits.in_flight
        """Requests in flight that the quota of this replica allows."""
        self._limits = limits
        self._expires_at = math.inf
        self._paused_until = -math.inf
        self._throttled: Permit | None = None
        self._concurrency = AimdLimit(limits.in_flight)
        self._slow_start = SlowStart()
        self._requests = RequestWindow(limits.requests_per_minute)
        self._tokens = TokenWindow(limits.tokens_per_minute)
        self._longest = RollingMax()

    @property
    def counts_tokens(self) -> bool:
        """Whether the model has a limit of tokens per minute."""
        return self._tokens.limit > 0

    @property
    def concurrency(self) -> int:
        """Requests that may be in flight now."""
        return min(self._concurrency.level, self.allocated)

    def wait_seconds(self, tokens: int, now: float) -> float:
        """Return how long a request of about `tokens` tokens must wait, given free concurrency; 0 if it may start now.

        Infinity means that it waits for the end of another request or for a new quota.
        """
        if now >= self._expires_at:
            return math.inf
        return max(
            self._slow_start.wait_seconds(self.in_flight, now),
            self._paused_until - now,
            self._requests.wait_seconds(now),
            self._tokens.wait_seconds(tokens, now),
            0.0,
        )

    def start(self, tokens: int, now: float) -> Permit:
        """Record the start of a request."""
        self.in_flight += 1
        self._requests.start(now)
        return Permit(now, self._tokens.start(tokens))

    def end(self, permit: Permit, spent_tokens: int, now: float) -> None:
        """Record the end of a request."""
        self.in_flight -= 1
        self._slow_start.end(now)
        self._tokens.end(permit.reserved_tokens, spent_tokens, now)
        if (
            permit is not self._throttled
        ):  # the duration of a refused or timed-out request says nothing about the others
            self._longest.add(now - permit.started)

    def on_success(self) -> None:
        """Raise the concurrency after an answer."""
        self._concurrency.on_success()

    def on_throttle(self, permit: Permit, now: float) -> None:
        """Reduce the concurrency after a refusal for overload or a timeout. Call it before `end`."""
        self._throttled = permit
        self._concurrency.on_throttle(in_flight=self.in_flight, started=permit.started, now=now)

    def pause_until(self, time: float) -> None:
        """Start no request before `time`. A longer pause stays in force."""
        self._paused_until = max(self._paused_until, time)

    def set_quota(self, quota: Quota, expires_at: float, *, target_requests: int) -> None:
        """Use no more than the quota, and start nothing from `expires_at` on.

        Starts are spread evenly as for `target_requests` per minute.
        """
        in_flight, requests, tokens = quota
        limits = self._limits
        is_empty = (limits.requests_per_minute and not requests) or (limits.tokens_per_minute and not tokens)
        self.allocated = 0 if is_empty else in_flight
        self._expires_at = expires_at
        self._concurrency.set_limit(max(1, in_flight))
        # 0 would mean no limit; with nothing allocated no request starts anyway.
        self._requests.limit = max(1, requests) if limits.requests_per_minute else 0
        self._requests.target = target_requests
        self._tokens.limit = max(1, tokens) if limits.tokens_per_minute else 0

    def usage(self, demand: int, timeout_seconds: float, now: float) -> QuotaUsage:
        """Return what is in use now. No request lasts longer than `timeout_seconds`."""
        longest = self._longest.seconds(now)
        return QuotaUsage(
            demand=demand,
            used=(self.in_flight, self._requests.used(now), self._tokens.used(now)),
            used_by_age=({}, self._requests.used_by_age(now), self._tokens.used_by_age(now)),
            max_request_seconds=(
                timeout_seconds if longest is None else min(timeout_seconds, longest * MAX_REQUEST_FACTOR)
            ),
        )
