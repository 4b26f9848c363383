"""API keys in files, as orchestrators mount secrets: one key a file, in one folder."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from libra.core.access.key_rules import FILE_NAME, FOLDER_SETTING
from libra.gateway.provider.keys.api_key import NoKey

MAX_KEY_BYTES = 16 * 1024
MAX_CACHED_FILES = 1_000

Version = tuple[int, int, int]
"""Version of a file: its inode, its size and the time of its last change."""


@dataclass(slots=True)
class KeyFolder:
    """Reads key files. A changed file is noticed at the next request."""

    path: str
    """Empty: no file may be used."""

    _cache: dict[str, tuple[Version, str]] = field(default_factory=dict)

    def read(self, name: str) -> str:
        """Return the content of a file without surrounding whitespace. Raises NoKey, which names the file only."""
        if not FILE_NAME.fullmatch(name):
            raise NoKey("api_key_file must be the name of a file in the key folder, without a folder of its own")
        if not self.path:
            raise NoKey(f"the key file {name} cannot be read: set {FOLDER_SETTING} of the gateway to its folder")
        try:
            return self._read(name)
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not text"
            raise NoKey(f"the key file {name} in {FOLDER_SETTING} of the gateway cannot be read ({reason})") from None

    def _read(self, name: str) -> str:
        file = Path(self.path, name)
        status = file.stat()
        version = status.st_ino, status.st_size, status.st_mtime_ns
        known = self._cache.get(name)
        if known is not None and known[0] == version:
            return known[1]
        content = _read_inside(Path(self.path), file)
        if len(self._cache) >= MAX_CACHED_FILES:
            self._cache.clear()
        self._cache[name] = version, content
        return content


def _read_inside(folder: Path, file: Path) -> str:
    """Return the content of a file that lies in the folder, also behind links as Kubernetes makes them."""
    real = file.resolve(strict=True)
    if not real.is_relative_to(folder.resolve(strict=True)):
        raise NoKey(f"the key file {file.name} is a link that leads out of the folder {FOLDER_SETTING}; copy it there")
    # Without O_NONBLOCK, opening a named pipe would wait; O_NOFOLLOW, since the path has just been resolved.
    with os.fdopen(os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW), "rb") as opened:
        if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
            raise NoKey(f"the key file {file.name} is not a regular file")
        content = opened.read(MAX_KEY_BYTES + 1)
    if len(content) > MAX_KEY_BYTES:
        raise NoKey(f"the key file {file.name} is longer than {MAX_KEY_BYTES} bytes, so it is not a key")
    return content.decode().strip()
