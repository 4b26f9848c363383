"""Every error that crosses a room's door, drawn once.

    LibraError
    ├── CallerError       the caller can mend it; names the field at fault
    │   ├── Invalid       INVALID_ARGUMENT
    │   ├── NotFound      NOT_FOUND
    │   ├── Conflict      ALREADY_EXISTS
    │   └── NotNow        FAILED_PRECONDITION
    └── Unavailable       a part of ours cannot be reached; the same call may succeed later

`libra.rpc` translates them to a gRPC status and back; nothing else does. Whatever is not among them is a bug (INTERNAL).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rapidfuzz import process

NEAREST_SHOWN = 3


def nearest(name: str, valid: Iterable[str]) -> list[str]:
    """Return up to three of the `valid` names that look most like `name`, the likeliest first."""
    return [match for match, _, _ in process.extract(name, sorted(valid), limit=NEAREST_SHOWN, score_cutoff=50)]


class LibraError(Exception):
    """Something went wrong that Libra knows the name of."""


class CallerError(LibraError):
    """The request cannot be carried out as it is; `field` is the part of it to change."""

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class Invalid(CallerError):
    """A field of the request holds what it must not."""


class NotFound(CallerError):
    """What the request names does not exist."""

    @classmethod
    def named(cls, kind: str, name: str, valid: Sequence[str], *, field: str) -> NotFound:
        """Say that there is no `kind` called `name`, and which names come near."""
        return cls(unknown(kind, name, valid), field=field)

    @classmethod
    def run(cls, run: str, *, field: str) -> NotFound:
        """Return the error for a run id that the store does not know."""
        return cls(f"there is no run {run!r}; `libra run list` shows those there are", field=field)


class Conflict(CallerError):
    """What the request would create exists with another content."""


class FailedPrecondition(CallerError):
    """The request is sound, but the state of things does not allow it; the message says what must change first."""


class Unavailable(LibraError):
    """A part that is needed cannot be reached now; the same call may succeed later."""


def unknown(kind: str, name: str, valid: Sequence[str]) -> str:
    """Return the sentence for a name that is not known, with the nearest valid ones or, failing these, all of them."""
    if not valid:
        return f"there is no {kind} {name!r}: there is none at all yet"
    near = nearest(name, valid)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(sorted(valid)[:20])}"
    return f"there is no {kind} {name!r}: {hint}"
