"""The logs beside the data: one file a part, read from their end."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from libra.local.topology import SERVERS

FOLDER = "logs"
MAX_BYTES = 32 * 1024 * 1024
"""A log that is larger when its part starts becomes <name>.log.1, in place of the one before."""

BLOCK_BYTES = 64 * 1024
LOOK_SECONDS = 0.2


def path(folder: Path, name: str) -> Path:
    """Return the file that the part writes its log to."""
    return folder / FOLDER / f"{name}.log"


def prepare(folder: Path, name: str) -> Path:
    """Make room for the part's log and return its path. A server writes beside its data; there a link points to it."""
    link = path(folder, name)
    link.parent.mkdir(parents=True, exist_ok=True)
    file = folder / name / link.name if name in SERVERS else link
    if file.exists() and file.stat().st_size > MAX_BYTES:
        file.replace(file.with_suffix(".log.1"))
    if file != link and not link.is_symlink():
        link.symlink_to(Path("..") / name / link.name)
    return link


def size(file: Path) -> int:
    """Return how many bytes the log has now, 0 if there is none."""
    return file.stat().st_size if file.exists() else 0


def tail(file: Path, lines: int, *, start: int = 0) -> str:
    """Return the last lines of what was written after the byte `start`."""
    if not file.exists() or lines == 0:
        return ""
    with file.open("rb") as log:
        end = log.seek(0, os.SEEK_END)
        position, data = end, b""
        while position > start and data.count(b"\n") <= lines:
            position = max(start, position - BLOCK_BYTES)
            log.seek(position)
            data = log.read(end - position)
    return "".join(data.decode(errors="replace").splitlines(keepends=True)[-lines:])


def follow(file: Path, start: int) -> Iterator[str]:
    """Yield what is written after the byte `start`, as it is written, for ever; a new file is read from its beginning."""
    position = start
    while True:
        now = size(file)
        if now < position:
            position = 0
        if now > position:
            with file.open("rb") as log:
                log.seek(position)
                data = log.read(BLOCK_BYTES)
            position += len(data)
            yield data.decode(errors="replace")
        else:
            time.sleep(LOOK_SECONDS)
