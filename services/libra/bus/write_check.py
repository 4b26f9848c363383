"""Check that JetStream stores messages: it may reply to every question and yet store nothing.

When the disk is full, nats-server stops writing to the stream that it noticed it on, and does not reply to publishers
of that stream any more. It does not resume by itself when there is space again: it must be restarted.
"""

from __future__ import annotations

import contextlib
import time

import nats.errors
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import APIError, NoStreamResponseError, NotFoundError

SUBJECT = "event.probe"
TIMEOUT_SECONDS = 3.0
UNANSWERED_SECONDS = 40.0
"""An unanswered message counts for this time. Publishers repeat it within half of this time."""

PROBE = StreamConfig(
    name="PROBE",
    subjects=[SUBJECT],
    retention=RetentionPolicy.LIMITS,
    storage=StorageType.FILE,
    discard=DiscardPolicy.OLD,
    max_msgs=1,
    max_bytes=64 * 1024,
)
"""The stream of the checks: it keeps the last message only. It is apart from the streams of work, whose messages all
go to a consumer."""

ADVICE = "its disk is probably full: free space there, and if messages are refused after that, restart nats-server"


class UnansweredPublishes:
    """Remembers subjects on which the server, though connected, did not reply to a publisher."""

    def __init__(self) -> None:
        self._failed_seconds: dict[str, float] = {}

    def add(self, subject: str) -> None:
        """Remember that a message on this subject was not answered."""
        self._failed_seconds[subject] = time.monotonic()

    def remove(self, subject: str) -> None:
        """Forget the subject, since the server has stored a message on it."""
        self._failed_seconds.pop(subject, None)

    def subjects(self) -> list[str]:
        """Return the subjects on which messages are not answered now."""
        since = time.monotonic() - UNANSWERED_SECONDS
        self._failed_seconds = {subject: at for subject, at in self._failed_seconds.items() if at >= since}
        return sorted(self._failed_seconds)


async def find_write_problem(js: JetStreamContext) -> str:
    """Store one small message; return why that failed, "" if it did not. A quota that is used up is no failure."""
    try:
        await js.publish(SUBJECT, b"", timeout=TIMEOUT_SECONDS)
    except NoStreamResponseError:
        await _create_stream(js)
    except APIError:  # the server refuses messages by a limit: work is held back, which is not a fault
        return ""
    except (nats.errors.TimeoutError, TimeoutError):
        return f"it did not store a message within {TIMEOUT_SECONDS:.0f} s"
    return ""


async def _create_stream(js: JetStreamContext) -> None:
    """Create the stream of the checks. Where its 64 KiB do not fit into the quota, there are no checks."""
    with contextlib.suppress(APIError):
        try:
            await js.stream_info(str(PROBE.name))
        except NotFoundError:
            await js.add_stream(PROBE)
