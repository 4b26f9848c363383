"""The door of the room: what is beyond it knows nothing of nats."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import nats.errors
from nats.js.errors import APIError

from libra.errors import Unavailable
from libra.stage.bus import QueueFull

FULL = frozenset({10023, 10028, 10047, 10077})
"""What JetStream says when it takes no more: for want of a server's or an account's resources, for want of space, or since a
limit of the stream is reached (10077, for one subject or all)."""


class ErrorTranslator:
    """Translates every fault that is not a bug of ours into `Unavailable`, and a refusal for want of room into `QueueFull`."""

    def __init__(self, url: str) -> None:
        self.address = ", ".join(urlsplit(one.strip()).netloc.rpartition("@")[2] for one in url.split(","))

    @contextmanager
    def __call__(self, what: str) -> Iterator[None]:
        """Run a piece of work with the server; `what` says which, for the message of the error."""
        try:
            yield
        except APIError as error:
            if error.err_code in FULL:
                raise QueueFull(f"{what}: {error.description}") from error
            raise self.shut(what, error) from error
        except (nats.errors.Error, OSError) as error:  # TimeoutError is an OSError
            raise self.shut(what, error) from error

    def shut(self, what: str, error: Exception | str) -> Unavailable:
        """Return the error for a piece of work that could not be done."""
        said = error if isinstance(error, str) else str(error) or type(error).__name__
        return Unavailable(
            f"{what}: NATS at {self.address} did not do it ({said}); "
            "check that it runs with JetStream and that LIBRA_NATS_URL names it"
        )
