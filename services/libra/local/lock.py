"""Lets only one `libra up` or `libra down` at a time change the system in a data folder."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from libra.core.errors import FailedPrecondition
from libra.local.private_files import make_folder, open_private

FILE = "lock"
POLL_SECONDS = 0.1


@contextmanager
def acquire(folder: Path, timeout_seconds: float, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the folder's lock inside the `with` block; raise FailedPrecondition if another process keeps it too long.

    It is a kernel lock (flock), so it is released when its holder exits, even after a crash.
    """
    make_folder(folder)
    with open_private(folder / FILE, "w") as file:
        if not _try_lock(file):
            say(f"waiting for another `libra up` or `libra down` that runs in {folder}")
            deadline = time.monotonic() + timeout_seconds
            while not _try_lock(file):
                if time.monotonic() > deadline:
                    raise FailedPrecondition(
                        f"another `libra up` or `libra down` has run in {folder} for {timeout_seconds:.0f} s: "
                        f"wait for it or stop it, then try again"
                    )
                time.sleep(POLL_SECONDS)
        yield


def _try_lock(file: IO[str]) -> bool:
    """Return whether this process has the lock now."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
