"""The call that is being served: under which id, and by when its caller wants the answer."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Self

from ulid import ULID

REQUEST_ID_KEY = "x-request-id"
"""The metadata key; it is that of most proxies."""

SOUND_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
FAR_AWAY_SECONDS = 365 * 86_400.0
"""gRPC says that a call without a deadline has some centuries left."""


@dataclass(frozen=True, slots=True)
class CallContext:
    """What a call brings along beside its request."""

    request_id: str
    due_seconds: float | None
    """When the caller stops waiting, on the clock of `time.monotonic`; None if never."""

    @classmethod
    def of(cls, metadata: Iterable[tuple[str, str | bytes]], remaining_seconds: float | None) -> Self:
        """Return the call with this metadata; it is given an id if it brings none or no sound one."""
        given = next((value for key, value in metadata if key == REQUEST_ID_KEY), "")
        sound = isinstance(given, str) and SOUND_ID.fullmatch(given)
        endless = remaining_seconds is None or remaining_seconds > FAR_AWAY_SECONDS
        return cls(
            request_id=str(given) if sound else str(ULID()),
            due_seconds=None if endless else time.monotonic() + float(remaining_seconds or 0.0),
        )


CURRENT: ContextVar[CallContext | None] = ContextVar("libra_incoming", default=None)
"""Set by the interceptor, in the task of each call."""


def request_id() -> str:
    """Return the id of the call that is being served, or a new one outside of any."""
    incoming = CURRENT.get()
    return incoming.request_id if incoming else str(ULID())


def time_left(wanted_seconds: float | None) -> float | None:
    """Return how long something done for the current call may take: `wanted_seconds`, or what is left if that is less."""
    incoming = CURRENT.get()
    if incoming is None or incoming.due_seconds is None:
        return wanted_seconds
    left = max(0.0, incoming.due_seconds - time.monotonic())
    return left if wanted_seconds is None else min(left, wanted_seconds)
