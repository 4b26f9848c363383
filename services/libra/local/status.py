"""Reports on each part: whether it is up, its address, start time and memory."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

import psutil

from libra.local import health, processes, server_health, topology
from libra.local.system import System

UP, NOT_READY, STUCK, DOWN, ELSEWHERE = "up", "not ready", "stuck", "down", "elsewhere"


@dataclass(frozen=True, slots=True)
class PartStatus:
    """The status of one part."""

    name: str
    state: str
    """UP; NOT_READY: it runs but does not serve; STUCK: a server that stores nothing until it is restarted; DOWN;
    ELSEWHERE: the environment names your own server."""

    address: str
    """host:port, never with a user or password; empty if the part was never started."""

    pid: int = 0
    since: float = 0.0
    """Unix time of the process's start."""

    memory_bytes: int = 0

    problem: str = ""
    """Reason why it is not ready, if it reports one; for a server that is up, the reason why it stores nothing."""

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


def watchdog_runs(system: System) -> bool:
    """Return whether the process runs that restarts the servers."""
    return bool(processes.find_watchdogs(system.folder))


def find_disk_problem(system: System) -> str:
    """Return a sentence if the disk of the data folder is full, "" otherwise."""
    if not system.folder.exists() or not server_health.is_disk_full(system.folder):
        return ""
    free = server_health.free_bytes(system.folder)
    return f"the disk with {system.folder} is full ({free // 1024:,} KiB free), and Libra stores nothing"


def _part_status(system: System, name: str, process: psutil.Process | None) -> PartStatus:
    address = system.addresses.get(name, "")
    try:
        if process is None:
            return PartStatus(name, DOWN, address)
        state, problem = _state(system, name)
        memory_bytes = process.memory_info().rss
        return PartStatus(name, state, address, process.pid, process.create_time(), memory_bytes, problem)
    except psutil.NoSuchProcess:
        return PartStatus(name, DOWN, address)


def _state(system: System, name: str) -> tuple[str, str]:
    """Return the state of a part that runs, and its problem."""
    ports = system.ports[name]
    if not system.is_ready(name):
        asks = name not in topology.SERVERS and topology.service_of(name) != topology.WEB
        return NOT_READY, health.not_ready_reason(ports.main, system.authorities) if asks else ""
    if name == topology.NATS and ports.metrics and (problem := server_health.find_nats_problem(ports.metrics)):
        return STUCK, problem
    return UP, ""
