"""The hierarchy of all expected errors. Any other exception is a bug.

    LibraError
    ├── CallerError                 the request is at fault; `field` names the part to change
    │   ├── Invalid                 INVALID_ARGUMENT
    │   │   └── Mismatch            libra.commitment.mismatch
    │   ├── NotFound                NOT_FOUND
    │   ├── Conflict                ALREADY_EXISTS
    │   ├── FailedPrecondition      FAILED_PRECONDITION
    │   │   └── ExpiredBallot       libra.arena.integrity.ballot
    │   ├── Unauthenticated         UNAUTHENTICATED
    │   ├── PermissionDenied        PERMISSION_DENIED
    │   │   └── ForgedBallot        libra.arena.integrity.ballot
    │   └── LimitReached            RESOURCE_EXHAUSTED
    ├── Unavailable                 UNAVAILABLE: a dependency cannot be reached; the same call may succeed later
    │   ├── ServiceAway             libra.web.unavailable
    │   └── SystemNotRunning        libra.cli.client
    ├── RemoteFault                 libra.rpc.errors: the called service failed on a bug (INTERNAL)
    ├── InvalidSettings             libra.core.settings
    ├── IncompatibleStream          libra.bus.provisioning
    ├── IncompatibleSchema          libra.store.maintenance.schema.versions
    ├── InsufficientStorage         libra.bus.provisioning
    ├── ExtraNotInstalled           a library of an extra is missing
    └── of the local system         libra.local
        ├── BinaryNotFound          binaries
        ├── DemoFailed              demo
        ├── DiskFull                server_health
        ├── InvalidState            state
        ├── ModelNotInstalled       smollm
        ├── NoFreePort              free_ports
        ├── ServerStartFailed       servers
        └── ServiceStartFailed      system

`libra.rpc.errors` translates CallerError and Unavailable to a gRPC status and back. Inside a stage, handlers also use
the exceptions of `libra.stage.errors`, Retry and Reject.
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


class Unauthenticated(CallerError):
    """The call has no valid credentials: the service does not know who calls."""


class PermissionDenied(CallerError):
    """The caller does not have the right that the request needs."""


class LimitReached(CallerError):
    """The caller has used up a limit; the same call succeeds after `retry_after_seconds`."""

    def __init__(self, message: str, *, field: str = "", retry_after_seconds: float = 0.0) -> None:
        super().__init__(message, field=field)
        self.retry_after_seconds = retry_after_seconds


class Unavailable(LibraError):
    """A dependency cannot be reached now; the same call may succeed later."""


class ExtraNotInstalled(LibraError):
    """A library that comes with an extra of Libra is not installed; the message has the command that installs it."""


def unknown(kind: str, name: str, valid: Sequence[str]) -> str:
    """Return the message for an unknown name, with the nearest valid names, or with all of them if none is near."""
    if not valid:
        return f"there is no {kind} {name!r}; none exists yet"
    near = nearest(name, valid)
    hint = f"did you mean {' or '.join(near)}?" if near else f"valid names: {', '.join(sorted(valid)[:20])}"
    return f"there is no {kind} {name!r}: {hint}"
