"""Ports that nobody listens on, and that the system does not hand out to outgoing connections."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Collection

from libra.core.errors import LibraError
from libra.local.topology import HOST

FIRST, LAST = 12_000, 29_999
"""Below the range for outgoing connections (32,768 and up on Linux, 49,152 and up on macOS): a part that is down for a moment gets its port again."""

SLICES = 64
"""Two processes that start systems at once look in different parts of the range: a port that is free is not yet listened on."""


class NoPort(LibraError):
    """No port of this process' part of the range is free."""


def free(port: int) -> bool:
    """Tell whether `port` of this machine can be listened on now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def choose(count: int, taken: Collection[int] = ()) -> list[int]:
    """Return that many different free ports, none of those `taken`, from this process' part of the range; raise NoPort."""
    width = (LAST + 1 - FIRST) // SLICES
    first = FIRST + os.getpid() % SLICES * width
    found: list[int] = []
    for port in random.sample(range(first, first + width), width):
        if len(found) == count:
            return found
        if port not in taken and free(port):
            found.append(port)
    raise NoPort(f"no free port was found between {first} and {first + width - 1}")
