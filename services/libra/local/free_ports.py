"""Ports that nobody listens on, and that the system does not hand out to outgoing connections."""

from __future__ import annotations

import random
import socket

from libra.errors import LibraError
from libra.local.parts import HOST

FIRST, LAST = 12_000, 29_999
"""Below the range for outgoing connections (32,768 and up on Linux): a part that is down for a moment gets its port again."""

TRIES = 1_000


class NoPort(LibraError):
    """None of a thousand ports tried is free."""


def free(port: int) -> bool:
    """Tell whether `port` of this machine can be listened on now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def choose(count: int) -> list[int]:
    """Return that many different free ports, by chance, so that two systems that start at once rarely meet; raise NoPort."""
    found: list[int] = []
    for port in random.sample(range(FIRST, LAST + 1), TRIES):
        if len(found) == count:
            return found
        if free(port):
            found.append(port)
    raise NoPort(f"no free port was found between {FIRST} and {LAST}")
