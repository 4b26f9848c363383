"""The log files of a system: one file per part, rotated at start, read from the end."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from libra.local.private_files import make_folder
from libra.local.topology import SERVERS

FOLDER = "logs"
MAX_BYTES = 32 * 1024 * 1024
"""A log that is larger when its part starts is renamed to <name>.log.1, which replaces the previous one."""

BLOCK_BYTES = 64 * 1024
POLL_SECONDS = 0.2


def path(folder: Path, name: str) -> Path:
    """Return the path of the part's log."""
    return folder / FOLDER / f"{name}.log"


def prepare(folder: Path, name: str) -> Path:
    """Create the folder for the part's log, rotate a log that is too large, and return the log's path.

    A server writes its log into its own folder; the path among the logs is then a symbolic link to it.
    """
    link = path(folder, name)
    make_folder(link.parent)
    file = folder / name / link.name if name in SERVERS else link
    if file.exists() and file.stat().st_size > MAX_BYTES:
        file.replace(file.with_suffix(".log.1"))
    if file != link and not link.is_symlink():
        link.symlink_to(Path("..") / name / link.name)
    return link


def size(file: Path) -> int:
    """Return the log's size in bytes, 0 if it does not exist."""
    return file.stat().st_size if file.exists() else 0


def tail(file: Path, lines: int, *, start: int = 0) -> str:
    """Return the last `lines` lines of the log, but nothing from before byte `start`."""
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
    """Yield what is written to the log after byte `start`, for ever; start again at byte 0 when the log is rotated."""
    position = start
    while True:
        current = size(file)
        if current < position:
            position = 0
        if current > position:
            with file.open("rb") as log:
                log.seek(position)
                data = log.read(BLOCK_BYTES)
            position += len(data)
            yield data.decode(errors="replace")
        else:
            time.sleep(POLL_SECONDS)
