"""Says what is wrong with a local nats-server or mongod that runs, and how much space their disk has."""

from __future__ import annotations

import http.client
import json
import shutil
from pathlib import Path

from libra.core.errors import LibraError
from libra.local.topology import HOST

TIMEOUT_SECONDS = 2.0

MIN_FREE_BYTES = 32 * 1024**2
"""With less free space a server is not restarted: it would soon fail again."""


def find_nats_problem(monitor_port: int) -> str:
    """Return what nats-server says is wrong with it; "" if nothing is, or if it does not reply.

    Such a server replies to its clients, but a stream that it failed to write to once stores nothing until a restart.
    """
    connection = http.client.HTTPConnection(HOST, monitor_port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/healthz")
        response = connection.getresponse()
        reply = json.loads(response.read())
    except (OSError, ValueError, http.client.HTTPException):
        return ""
    finally:
        connection.close()
    return str(reply.get("error") or "") if response.status == http.HTTPStatus.SERVICE_UNAVAILABLE else ""


def free_bytes(folder: Path) -> int:
    """Return the free space of the file system that holds the folder."""
    return shutil.disk_usage(folder).free


class DiskFull(LibraError):
    """The disk has too little space for the servers; the message says how much they need."""


def require_space(folder: Path) -> None:
    """Raise DiskFull if the folder's file system has too little space for the servers to work."""
    if is_disk_full(folder):
        needed, free = MIN_FREE_BYTES // 1024**2, free_bytes(folder) // 1024
        raise DiskFull(f"the disk with {folder} is full ({free:,} KiB free): free at least {needed} MiB there")


def is_disk_full(folder: Path) -> bool:
    """Return whether the folder's file system has too little space for the servers to work."""
    return free_bytes(folder) < MIN_FREE_BYTES
