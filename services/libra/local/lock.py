"""One `libra up` or `libra down` at a time in a data folder."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from libra.core.errors import FailedPrecondition

FILE = "lock"
LOOK_SECONDS = 0.1


@contextmanager
def held(folder: Path, seconds: float, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the folder's lock; wait for whoever has it, at most that long, then raise NotNow.

    The lock is the kernel's: it ends with its holder, however that ends.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / FILE).open("w") as file:
        if not _taken(file):
            say(f"another `libra up` or `libra down` is at work in {folder}; waiting for it")
            last = time.monotonic() + seconds
            while not _taken(file):
                if time.monotonic() > last:
                    raise FailedPrecondition(
                        f"another `libra up` or `libra down` has been at work in {folder} for {seconds:.0f} s"
                    )
                time.sleep(LOOK_SECONDS)
        yield


def _taken(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
