"""Translate the errors of nats-py into Libra's errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import nats.errors
from nats.js.errors import APIError

from libra.core.errors import Unavailable
from libra.stage.bus import QueueFull

STORAGE_LIMIT_CODES = frozenset({10023, 10028, 10047, 10077})
"""JetStream's error codes for a full queue: the server's or the account's resources or storage are used up, or the
stream has reached its limit (10077, for one subject or all)."""


class ErrorTranslator:
    """Translates connection and server errors into `Unavailable`, and storage limits into `QueueFull`."""

    def __init__(self, url: str) -> None:
        self.address = ", ".join(urlsplit(one.strip()).netloc.rpartition("@")[2] for one in url.split(","))
        self.observer: Callable[[], None] = lambda: None
        """Called for each error that is translated."""

    @contextmanager
    def __call__(self, what: str) -> Iterator[None]:
        """Translate the errors raised inside the block; `what` names the operation in the message."""
        try:
            yield
        except APIError as error:
            if error.err_code in STORAGE_LIMIT_CODES:
                raise QueueFull(f"{what}: {error.description}") from error
            raise self.unavailable(what, error) from error
        except (nats.errors.Error, OSError) as error:  # TimeoutError is an OSError
            raise self.unavailable(what, error) from error

    def unavailable(self, what: str, error: Exception | str) -> Unavailable:
        """Return the error for an operation that failed."""
        self.observer()
        reason = error if isinstance(error, str) else str(error) or type(error).__name__
        return Unavailable(
            f"could not {what}: NATS at {self.address} failed ({reason}); "
            "check that it runs with JetStream enabled and that LIBRA_NATS_URL is right"
        )
