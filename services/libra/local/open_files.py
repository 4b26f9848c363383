"""The number of files that one process may have open: macOS allows 256, which mongod alone can exceed."""

from __future__ import annotations

import resource

MIN_OPEN_FILES = 4096
"""mongod opens one file for each collection and index and one for each connection, a few hundred in all."""


def raise_limit() -> None:
    """Let this process, and the processes that it starts, open at least 4,096 files, or as many as the system permits."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MIN_OPEN_FILES if hard == resource.RLIM_INFINITY else min(MIN_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
