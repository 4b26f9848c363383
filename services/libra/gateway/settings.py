"""What gateway can be told from outside, as LIBRA_GATEWAY_*, and where it finds the models' keys."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import PositiveFloat, PositiveInt

from libra.gateway.provider.retry import RetryPolicy


@dataclass(frozen=True, slots=True)
class Settings:
    """How patient gateway is with providers, with the store, and with its own end."""

    retry_attempts: PositiveInt = 8
    """Requests for one answer, at most, while the provider fails: about two minutes with their waits."""

    retry_timeouts: PositiveInt = 2
    """Requests for one answer, at most, that run into the model's timeout: each has cost that whole time."""

    retry_base_seconds: PositiveFloat = 1.0
    """The wait after the first failure is drawn from 0 to this; the range doubles each time."""

    retry_most_seconds: PositiveFloat = 60.0
    """No range grows beyond this."""

    retry_budget_seconds: PositiveFloat = 600.0
    """No request for an answer begins later than this after the first, waits for a permit not counted. It alone bounds how
    often a model that says "slow down" (429) is asked again."""

    retry_after_most_seconds: PositiveFloat = 300.0
    """A Retry-After beyond this is taken for this."""

    hold_seconds: PositiveFloat = 3600.0
    """An answer that is paid for and cannot be stored is held in memory for this long before it is given up."""

    drain_seconds: PositiveFloat = 20.0
    """After the signal to stop, requests under way have this long to be answered and stored; what takes longer is asked for
    again. More than a process gives its workers (`libra.process`, 25 s) is of no use."""

    look_seconds: PositiveFloat = 2.0
    """New and deleted models, and ended runs, are noticed after this long."""

    renew_seconds: PositiveFloat = 2.0
    """A replica's part in a model's limits is renewed this often. What is not renewed three times is free for others; so much
    longer it takes until they use what a killed replica had. The same for all replicas."""

    def retry_policy(self) -> RetryPolicy:
        """Return the settings that begin with retry_ as one."""
        return RetryPolicy(
            attempts=self.retry_attempts,
            timeouts=self.retry_timeouts,
            base_seconds=self.retry_base_seconds,
            most_seconds=self.retry_most_seconds,
            budget_seconds=self.retry_budget_seconds,
            retry_after_most_seconds=self.retry_after_most_seconds,
        )


def environment() -> Mapping[str, str]:
    """Return the process's environment, in which a model's key is looked up when it is needed. Nothing keeps a copy."""
    return os.environ
