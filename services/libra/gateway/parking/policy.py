"""The times after which a model is parked, probed and given up, as data. `libra.gateway.settings` has the defaults."""

from __future__ import annotations

import math
from dataclasses import dataclass

from libra.gateway.provider.result import BlockCause, ProviderFault

QUOTA_CAUSES = frozenset({BlockCause.QUOTA, BlockCause.WAIT, BlockCause.CEILING})
"""Causes that end by themselves after hours, and that no request is at fault for."""

QUOTA_FACTOR = 12
"""A quota is probed this much more seldom: after a minute, and in the end once an hour."""


@dataclass(frozen=True, slots=True)
class ParkPolicy:
    """Conditions for parking a model, the times of its probes, and the time after which its requests fail."""

    patience_seconds: float = 300.0
    """A provider that asks for a longer wait parks its model."""

    faults: int = 5
    """A model that answered within `recent_seconds` is parked after this many faults without an answer between them:
    some may be due to single requests."""

    recent_seconds: float = 60.0

    probe_seconds: float = 5.0
    """The wait before the first probe; it doubles with each probe."""

    probe_max_seconds: float = 300.0

    give_up_seconds: float = 600.0
    """A request fails after its model was parked for this long."""

    give_up_quota_seconds: float = 86_400.0
    """The same for a quota."""

    def cause_of(self, fault: ProviderFault) -> BlockCause | None:
        """Return why other requests would fail as well; None if the fault may be that of one request."""
        wait_seconds = fault.retry_after_seconds
        if fault.block is None and wait_seconds is not None and wait_seconds > self.patience_seconds:
            return BlockCause.WAIT
        return fault.block

    def probe_wait_seconds(self, cause: BlockCause, probes: int, retry_after_seconds: float | None) -> float:
        """Return how long to wait before the next probe, after `probes` of them: as long as the provider asked for.

        An attempt to connect where nobody listens costs nothing, so that a server that returns is noticed at once.
        """
        if cause is BlockCause.UNREACHABLE:
            return self.probe_seconds
        if cause is BlockCause.CEILING and retry_after_seconds is not None:
            return retry_after_seconds
        factor = QUOTA_FACTOR if cause in QUOTA_CAUSES else 1
        wait_seconds = factor * min(self.probe_max_seconds, self.probe_seconds * 2.0 ** min(probes, 30))
        if cause is BlockCause.WAIT and retry_after_seconds is not None:
            return retry_after_seconds
        return max(wait_seconds, retry_after_seconds or 0.0)

    def patience_for(self, cause: BlockCause) -> float:
        """Return how long requests wait for a model that is parked for this cause.

        They wait for the next day however many days a run needs: a ceiling is set by its owner, and is no fault.
        """
        if cause is BlockCause.CEILING:
            return math.inf
        return self.give_up_quota_seconds if cause in QUOTA_CAUSES else self.give_up_seconds
