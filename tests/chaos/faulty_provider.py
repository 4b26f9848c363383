"""A scripted provider that is slow, answers 429, 500 or malformed HTTP, or hangs, as its seed says, and a record of it.

Its response to the n-th request for a trial depends on the seed, the trial and n alone, not on the order in which
requests arrive: a seed always gives the same provider.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum, auto
from itertools import pairwise

from libra.testing.scripted_provider import (
    MALFORMED,
    Behaviour,
    ReceivedRequest,
    hangs,
    malformed,
    refuses,
    says,
    slow_down,
)

from .trial_prompts import TrialKey, trial_of

REFUSAL = "I'm sorry, but I can't help with that."


class Response(StrEnum):
    """The response to one request."""

    ANSWERED = auto()
    RATE_LIMITED = auto()
    SERVER_ERROR = auto()
    MALFORMED = auto()
    HUNG = auto()


@dataclass(frozen=True, slots=True)
class FaultRates:
    """The share of requests that get each fault, and times in seconds."""

    rate_limits: float = 0.02
    retry_after_seconds: float = 1.0
    server_errors: float = 0.01
    malformed: float = 0.005
    hangs: float = 0.005
    min_seconds: float = 0.05
    max_seconds: float = 0.2


NO_FAULTS = FaultRates(rate_limits=0.0, server_errors=0.0, malformed=0.0, hangs=0.0)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request for a trial."""

    response: Response
    at_seconds: float
    """Time of arrival, by the event loop's clock."""

    answered_at_seconds: float
    """Time at which the answer was sent, if the client was still connected."""


@dataclass(slots=True)
class FaultScript:
    """The script of the provider, and its record."""

    seed: int
    rates: FaultRates
    attempts: defaultdict[TrialKey, list[Attempt]] = field(default_factory=lambda: defaultdict(list))

    def __call__(self, request: ReceivedRequest) -> Behaviour:
        trial = trial_of(request.prompt)
        earlier = self.attempts[trial]
        rng = random.Random(f"{self.seed}/{trial}/{len(earlier)}")
        response, rates = self._response(rng.random()), self.rates
        seconds = rng.uniform(rates.min_seconds, rates.max_seconds)
        earlier.append(Attempt(response, request.at_seconds, request.at_seconds + seconds))
        match response:
            case Response.HUNG:
                return hangs()
            case Response.RATE_LIMITED:
                return slow_down(rates.retry_after_seconds)
            case Response.SERVER_ERROR:
                return refuses(500)
            case Response.MALFORMED:
                return malformed(rng.choice(sorted(MALFORMED.values())))
            case Response.ANSWERED:
                return says(REFUSAL, after_seconds=seconds)

    def repeated_answers(self) -> list[tuple[Attempt, Attempt]]:
        """Return every answered attempt that followed an answered attempt for the same trial, with the earlier one."""
        answers = (
            [attempt for attempt in attempts if attempt.response is Response.ANSWERED]
            for attempts in self.attempts.values()
        )
        return [pair for answered in answers for pair in pairwise(answered)]

    def failed_at_last_attempts(self, trial: TrialKey, *, attempts: int = 2) -> bool:
        """Tell whether there were at least this many attempts for a trial, and the last ones all failed."""
        last = self.attempts[trial][-attempts:]
        return len(last) == attempts and all(attempt.response is not Response.ANSWERED for attempt in last)

    def _response(self, drawn: float) -> Response:
        for response, share in (
            (Response.RATE_LIMITED, self.rates.rate_limits),
            (Response.SERVER_ERROR, self.rates.server_errors),
            (Response.MALFORMED, self.rates.malformed),
            (Response.HUNG, self.rates.hangs),
        ):
            if drawn < share:
                return response
            drawn -= share
        return Response.ANSWERED
