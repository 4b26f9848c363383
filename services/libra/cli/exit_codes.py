"""The exit codes of `libra`, on which scripts depend. 0 is success."""

from __future__ import annotations

from libra.core.errors import CallerError, LibraError
from libra.core.settings import InvalidSettings

NEEDS_ATTENTION = 1
"""The command worked, but its result is not good: trials without a score, a failed audit, a part that is down."""

INVALID_INPUT = 2
"""An argument, a file or a setting is wrong. Click exits with the same code for its own errors."""

SERVICE_FAILED = 3
"""A part of Libra failed or cannot be reached, for reasons that the input did not cause."""

GATE_INCONCLUSIVE = 3
"""A gate has not decided: the data do not suffice. A pipeline stops at it as at a service that failed."""

INTERRUPTED = 130
"""Ctrl-C ended the command: 128 + SIGINT, as in a shell."""


def exit_code_of(error: LibraError) -> int:
    """Return the exit code of a command that ends with this error."""
    return INVALID_INPUT if isinstance(error, CallerError | InvalidSettings) else SERVICE_FAILED
