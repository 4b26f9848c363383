"""Reports on each part: whether it is up, its address, start time and memory."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

import psutil

from libra.local import topology
from libra.local.system import System

UP, NOT_READY, DOWN, ELSEWHERE = "up", "not ready", "down", "elsewhere"


@dataclass(frozen=True, slots=True)
class PartStatus:
    """The status of one part."""

    name: str
    state: str
    """UP; NOT_READY: it runs but does not serve yet; DOWN; ELSEWHERE: the environment names your own server."""

    address: str
    """host:port, never with a user or password; empty if the part was never started."""

    pid: int = 0
    since: float = 0.0
    """Unix time of the process's start."""

    memory_bytes: int = 0

    @property
    def is_healthy(self) -> bool:
        """Whether the part needs no attention."""
        return self.state in (UP, ELSEWHERE)


def collect(system: System) -> list[PartStatus]:
    """Return the status of every part, servers first."""
    running, local = system.running(), system.own_parts()
    urls = {topology.NATS: system.settings.nats_url, topology.MONGO: system.settings.mongo_url}
    return [
        _part_status(system, name, running.get(name))
        if name in local
        else PartStatus(name, ELSEWHERE, urlsplit(urls[name]).netloc.rpartition("@")[2])
        for name in system.part_names
    ]


def _part_status(system: System, name: str, process: psutil.Process | None) -> PartStatus:
    address = system.addresses.get(name, "")
    try:
        if process is None:
            return PartStatus(name, DOWN, address)
        state = UP if system.is_ready(name) else NOT_READY
        return PartStatus(
            name, state, address, process.pid, process.create_time(), memory_bytes=process.memory_info().rss
        )
    except psutil.NoSuchProcess:
        return PartStatus(name, DOWN, address)
