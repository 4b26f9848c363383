"""Keeps logs, state and data of a system readable by their owner only: logs may quote prompts and answers."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

FOLDER_MODE = 0o700
FILE_MODE = 0o600


def make_folder(folder: Path) -> None:
    """Create the folder and its parents if they are missing, and make the folder private."""
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    restrict(folder)


def open_private(file: Path, mode: str) -> IO[Any]:
    """Open a file for writing; it is private from its creation on, or from now on if it exists."""
    return open(file, mode, opener=_open)


def restrict(path: Path) -> None:
    """Take the rights of the group and of others from a file or folder.

    A folder of another user and one with the sticky bit, such as /tmp, are shared on purpose and keep their mode.
    """
    try:
        status = path.lstat()
    except FileNotFoundError:
        return
    if stat.S_ISLNK(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & stat.S_ISVTX:
        return
    path.chmod(FOLDER_MODE if stat.S_ISDIR(status.st_mode) else FILE_MODE)


def restrict_system(folder: Path, servers: tuple[str, ...]) -> None:
    """Make the folder of a system private, and what an earlier version wrote into it."""
    for path in _own_paths(folder, servers):
        restrict(path)


def _own_paths(folder: Path, servers: tuple[str, ...]) -> Iterator[Path]:
    """Yield the folder, its logs, its state, and the folders of the servers. Other files in the folder are not ours."""
    yield folder
    yield from (folder / name for name in ("lock", "state.json", "state.new"))
    for name in ("logs", *servers):
        yield folder / name
        yield from (folder / name).glob("*.log*")
        yield from (folder / name).glob("*.conf")


def _open(path: str, flags: int) -> int:
    descriptor = os.open(path, flags, FILE_MODE)
    os.fchmod(descriptor, FILE_MODE)  # the file may have existed
    return descriptor
