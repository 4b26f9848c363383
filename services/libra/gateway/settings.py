"""The settings of gateway, read from LIBRA_GATEWAY_*, and the environment that holds the models' API keys."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from libra.core.settings import Count, Seconds
from libra.gateway.provider.retry import RetryPolicy


@dataclass(frozen=True, slots=True)
class Settings:
    """Retries, and how long gateway waits for the store, for leases, and for requests in flight when it stops."""

    retry_attempts: Count = 8
    """Maximum number of requests for one answer while the provider fails: about two minutes with their waits."""

    retry_timeouts: Count = 2
    """Maximum number of requests for one answer that run into the model's timeout. Each has cost the whole timeout."""

    retry_base_seconds: Seconds = 1.0
    """The wait after the first failure is drawn from 0 to this; the range doubles with each further failure."""

    retry_most_seconds: Seconds = 60.0
    """The largest range of a wait."""

    retry_budget_seconds: Seconds = 600.0
    """No request for an answer begins later than this after the first one; time spent waiting for a permit does not
    count. Only this bounds how often a model that answers "slow down" (429) is asked again."""

    retry_after_most_seconds: Seconds = 300.0
    """A longer Retry-After is shortened to this."""

    hold_seconds: Seconds = 3600.0
    """A paid answer that cannot be stored is kept in memory for this long, then given up."""

    drain_seconds: Seconds = 20.0
    """After the signal to stop, requests in flight have this long to be answered and stored; the rest is requested
    again by another replica. A value above what a process gives its workers (`libra.process`, 25 s) has no effect."""

    look_seconds: Seconds = 2.0
    """New and deleted models, and ended runs, are noticed after this long."""

    renew_seconds: Seconds = 2.0
    """Period in which a replica renews its lease on a model's limits. A lease expires after three missed renewals, so
    this also decides how long the limits of a killed replica stay unused. Must be the same for all replicas."""

    def retry_policy(self) -> RetryPolicy:
        """Return the retry settings as a policy."""
        return RetryPolicy(
            attempts=self.retry_attempts,
            timeouts=self.retry_timeouts,
            base_seconds=self.retry_base_seconds,
            max_seconds=self.retry_most_seconds,
            budget_seconds=self.retry_budget_seconds,
            retry_after_max_seconds=self.retry_after_most_seconds,
        )


def environment() -> Mapping[str, str]:
    """Return the process's environment, in which an API key is looked up at each request. No copy is kept."""
    return os.environ
