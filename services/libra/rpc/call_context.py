"""The request id and the deadline of the call that is being served."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Self

from ulid import ULID

REQUEST_ID_KEY = "x-request-id"
"""The metadata key, the same that most proxies use."""

SEALED_KEY = "libra-sealed"
"""The metadata key of calls about sealed samples; see `libra.core.sealed.sealing`."""

TEAM_KEY = "libra-team"
"""The metadata key of calls between services with the team that they work for; `libra.core.access.team_scope`."""

VALID_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
UNLIMITED_SECONDS = 365 * 86_400.0
"""For a call without a deadline gRPC reports some centuries of remaining time; anything above this counts as no
deadline."""


@dataclass(frozen=True, slots=True)
class CallContext:
    """The request id and the deadline of one call."""

    request_id: str
    deadline_seconds: float | None
    """Time at which the caller stops waiting, in seconds of `time.monotonic`; None without a deadline."""

    @classmethod
    def from_metadata(cls, metadata: Iterable[tuple[str, str | bytes]], remaining_seconds: float | None) -> Self:
        """Return the context of a call with this metadata; replace a missing or malformed request id by a new one."""
        given = next((value for key, value in metadata if key == REQUEST_ID_KEY), "")
        is_valid = isinstance(given, str) and VALID_ID.fullmatch(given)
        endless = remaining_seconds is None or remaining_seconds > UNLIMITED_SECONDS
        return cls(
            request_id=str(given) if is_valid else str(ULID()),
            deadline_seconds=None if endless else time.monotonic() + float(remaining_seconds or 0.0),
        )


CURRENT: ContextVar[CallContext | None] = ContextVar("libra_incoming", default=None)
"""The context of this task's call; the interceptor sets it."""


def request_id() -> str:
    """Return the request id of the call that is being served, or a new id if there is none."""
    current = CURRENT.get()
    return current.request_id if current else str(ULID())


def time_left(wanted_seconds: float | None) -> float | None:
    """Return the timeout for work done for the current call: `wanted_seconds`, or the time to its deadline if less."""
    current = CURRENT.get()
    if current is None or current.deadline_seconds is None:
        return wanted_seconds
    left = max(0.0, current.deadline_seconds - time.monotonic())
    return left if wanted_seconds is None else min(left, wanted_seconds)
