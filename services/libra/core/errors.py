"""Every error that crosses a room's door, drawn once.

    LibraError
    ├── CallerError       the caller can mend it; names the field at fault
    │   ├── Invalid       INVALID_ARGUMENT
    │   ├── NotFound      NOT_FOUND
    │   ├── Conflict      ALREADY_EXISTS
    │   └── NotNow        FAILED_PRECONDITION
    └── Unavailable       a part of ours cannot be reached; the same call may succeed later

`libra.rpc` translates them to a gRPC status and back; nothing else does. Whatever is not among them is a bug
(INTERNAL).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rapidfuzz import process

NEAREST_SHOWN = 3


def nearest(name: str, valid: Iterable[str]) -> list[str]:
    """Return up to three of the `valid` names that are most similar to `name`, the most similar first."""
    return [match for match, _, _ in process.extract(name, sorted(valid), limit=NEAREST_SHOWN, score_cutoff=50)]


class LibraError(Exception):
    """An expected failure. Any other exception is a bug."""


class CallerError(LibraError):
    """The caller's request is at fault; `field` names the part to change."""

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class Invalid(CallerError):
    """A field of the request has an invalid value."""


class NotFound(CallerError):
    """The request names something that does not exist."""

    @classmethod
    def named(cls, kind: str, name: str, valid: Sequence[str], *, field: str) -> NotFound:
        """Return the error for an unknown `name` of this `kind`, with the nearest valid names."""
        return cls(unknown(kind, name, valid), field=field)

    @classmethod
    def run(cls, run: str, *, field: str) -> NotFound:
        """Return the error for a run id that the store does not know."""
        return cls(f"there is no run {run!r}; `libra run list` shows the runs", field=field)


class Conflict(CallerError):
    """The request would create something that exists with other content."""


class FailedPrecondition(CallerError):
    """The request is valid, but the current state does not allow it; the message says what must change first."""


class Unavailable(LibraError):
    """A dependency cannot be reached now; the same call may succeed later."""


def unknown(kind: str, name: str, valid: Sequence[str]) -> str:
    """Return the message for an unknown name, with the nearest valid names, or with all of them if none is near."""
    if not valid:
        return f"there is no {kind} {name!r}; none exists yet"
    near = nearest(name, valid)
    hint = f"did you mean {' or '.join(near)}?" if near else f"valid names: {', '.join(sorted(valid)[:20])}"
    return f"there is no {kind} {name!r}: {hint}"
