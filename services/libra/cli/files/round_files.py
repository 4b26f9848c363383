"""The files of a round: its commitment, its release and the auditor's key."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from libra.core.errors import Invalid

PRIVATE, PUBLIC = 0o600, 0o644
MAX_KEY_BYTES = 4096


def require_absent(path: Path, *, option: str) -> None:
    """Raise Invalid if a file would be overwritten, or if its folder does not exist."""
    if path.exists():
        raise Invalid(f"{path} exists already; name another file", field=option)
    if not path.parent.is_dir():
        raise Invalid(f"the folder {path.parent} does not exist; create it first", field=option)


def write_private(path: Path, text: str) -> None:
    """Write a new file that only its owner can read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"{text}\n")


def read_key(path: Path | None) -> str:
    """Return the auditor's key in a file, "" without a file; raise Invalid if the file is too large for a key."""
    if path is None:
        return ""
    data = path.read_bytes()
    if len(data) > MAX_KEY_BYTES:
        raise Invalid(f"{path} is too large for an auditor's key", field="--auditor-key-file")
    return data.decode("utf-8", errors="replace").strip()


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """Yield a file that appears under its name only once it is written whole."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        Path(temporary).chmod(PUBLIC)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
