"""Chooses free ports outside the range that the operating system uses for outgoing connections."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Collection

from libra.core.errors import LibraError
from libra.local.topology import HOST

FIRST_PORT, LAST_PORT = 12_000, 29_999
"""The range for parts.

It lies below the range for outgoing connections (32,768 and up on Linux, 49,152 and up on macOS), so a part that
restarts finds its port still free.
"""

SLICES = 64
"""The range is cut into slices and each process uses one, by its process id.

Two processes that start systems at the same time would otherwise choose the same port: a chosen port is free until its
part listens on it.
"""


class NoFreePort(LibraError):
    """This process's slice of the port range has too few free ports."""


def is_free(port: int) -> bool:
    """Return whether a process can listen on this `port` of this machine now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def choose(count: int, taken: Collection[int] = ()) -> list[int]:
    """Return `count` different free ports from this process's slice, none of them in `taken`; raise NoFreePort."""
    width = (LAST_PORT + 1 - FIRST_PORT) // SLICES
    first = FIRST_PORT + os.getpid() % SLICES * width
    chosen: list[int] = []
    for port in random.sample(range(first, first + width), width):
        if len(chosen) == count:
            return chosen
        if port not in taken and is_free(port):
            chosen.append(port)
    raise NoFreePort(f"there is no free port between {first} and {first + width - 1}")
