"""Finds and ends the processes of a system.

A process belongs to the system in a folder if its working directory is that folder (for a server, its own folder in it)
and its command line names a part. A list of process ids could be lost, be out of date, or name an unrelated process.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import psutil

from libra.local.topology import SERVERS, SERVICES, service_of

WATCHDOG_MODULE = "libra.local.watchdog"

POLL_SECONDS = 0.1

KILL_SECONDS = 10.0
"""Time that a process has to disappear after SIGKILL."""

MIN_OPEN_FILES = 4096
"""mongod opens one file for each collection and index and one for each connection, a few hundred in all. The default of
macOS, 256, is too low."""


def raise_file_limit() -> None:
    """Let this process and its children open at least 4,096 files, or as many as the system permits."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MIN_OPEN_FILES if hard == resource.RLIM_INFINITY else min(MIN_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def working_folder(folder: Path, name: str) -> Path:
    """Return the part's working directory: a server's own folder, the data folder for a service."""
    return folder / name if name in SERVERS else folder


def find_parts(folder: Path) -> dict[str, psutil.Process]:
    """Return the running parts of the system in `folder`, by name."""
    folder = folder.resolve()
    parts = {}
    for process in psutil.process_iter():
        try:
            name = _part_name(process.cmdline())
            # samefile, not a comparison of text: on macOS one path can be written with different capitals.
            belongs = name and Path(process.cwd()).samefile(working_folder(folder, name))
            if belongs and process.status() != psutil.STATUS_ZOMBIE:
                parts[name] = process
        except (psutil.Error, OSError):  # it has exited, or belongs to another user
            continue
    return parts


def find_watchdogs(folder: Path) -> list[psutil.Process]:
    """Return the watchdogs of the system in `folder`: one, unless two were started at the same moment."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cmdline()[1:3] == ["-m", WATCHDOG_MODULE] and Path(process.cwd()).samefile(folder):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def is_listening(process: psutil.Process, port: int) -> bool:
    """Return whether this process listens on `port`; False if only another process does."""
    try:
        connections = process.net_connections("tcp")
    except psutil.Error:  # it has exited, or access is denied
        return False
    return any(connection.status == psutil.CONN_LISTEN and connection.laddr.port == port for connection in connections)


def terminate(processes: Iterable[psutil.Process], timeout_seconds: float) -> None:
    """Send SIGTERM to the processes, wait up to the timeout, and kill those that still run."""
    pending = list(processes)
    _signal_all(pending, "terminate")
    _signal_all(pending, "resume")  # a stopped process handles SIGTERM only after SIGCONT
    kill(_wait(pending, timeout_seconds))


def kill(processes: Sequence[psutil.Process]) -> None:
    """Send SIGKILL to the processes and wait until they are gone."""
    _signal_all(processes, "kill")
    _wait(processes, KILL_SECONDS)


def _wait(processes: Iterable[psutil.Process], timeout_seconds: float) -> list[psutil.Process]:
    """Wait until the processes have ended, and return those that still run after the timeout.

    A process whose parent has not read its exit status yet has ended, which `psutil.wait_procs` alone does not see.
    """
    deadline, alive = time.monotonic() + timeout_seconds, list(processes)
    while alive := [process for process in psutil.wait_procs(alive, POLL_SECONDS)[1] if not _has_ended(process)]:
        if time.monotonic() > deadline:
            break
    return alive


def _has_ended(process: psutil.Process) -> bool:
    """Return whether nothing of the process runs. The first thread of mongod may end before the others do."""
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE and process.num_threads() <= 1)
    except psutil.NoSuchProcess:
        return True


def _part_name(command: Sequence[str]) -> str:
    """Return the part that a command line starts, "" if none: "…/mongod …" or "python -m libra.judge judge-2"."""
    for word in command[:2]:  # the second word is the server if the first is the interpreter of a script
        if Path(word).name in SERVERS:
            return Path(word).name
    if command[1:2] != ["-m"]:
        return ""
    module, name = (*command[2:4], "", "")[:2]
    service = module.removeprefix("libra.")
    if service not in SERVICES or module == service:
        return ""
    return name if service_of(name) == service else service


def _signal_all(processes: Iterable[psutil.Process], method: str) -> None:
    for process in processes:
        try:
            getattr(process, method)()
        except psutil.NoSuchProcess:
            continue
