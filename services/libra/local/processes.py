"""Find the processes of a system, and end them.

A process is a part of the system in a folder if it works there and its command line says which part it is. So there is no
list of process ids that could be lost, stale, or name somebody else's process.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import psutil

from libra.local.topology import SERVERS, SERVICES, kind

KILL_SECONDS = 10.0
"""How long a process may take to vanish after SIGKILL."""


def working_folder(folder: Path, name: str) -> Path:
    """Return where the part works: a server in a folder of its own, a service in the data folder."""
    return folder / name if name in SERVERS else folder


def of(folder: Path) -> dict[str, psutil.Process]:
    """Return the running parts of the system in `folder`, by name."""
    folder = folder.resolve()
    found = {}
    for process in psutil.process_iter():
        try:
            name = _part(process.cmdline())
            # Not by its text: on macOS a path may be written in capitals and small letters alike.
            ours = name and Path(process.cwd()).samefile(working_folder(folder, name))
            if ours and process.status() != psutil.STATUS_ZOMBIE:
                found[name] = process
        except (psutil.Error, OSError):  # it has ended meanwhile, or is another user's
            continue
    return found


def listens(process: psutil.Process, port: int) -> bool:
    """Tell whether it is this very process that listens on `port`, and not somebody who was faster."""
    try:
        found = process.net_connections("tcp")
    except psutil.Error:  # it has ended, or may not be looked at
        return False
    return any(each.status == psutil.CONN_LISTEN and each.laddr.port == port for each in found)


def end(processes: Iterable[psutil.Process], seconds: float) -> None:
    """Ask the processes to end (SIGTERM), wait that long, and kill those that have not."""
    asked = list(processes)
    _each(asked, "terminate")
    _each(asked, "resume")  # one that was stopped could not hear it
    _, left = psutil.wait_procs(asked, seconds)
    kill(left)


def kill(processes: Sequence[psutil.Process]) -> None:
    """End the processes at once, as a power cut would, and wait until they are gone."""
    _each(processes, "kill")
    psutil.wait_procs(processes, KILL_SECONDS)


def _part(command: Sequence[str]) -> str:
    """Return the part that a command line starts, "" if none: "…/mongod …" or "python -m libra.judge judge-2"."""
    for word in command[:2]:  # the second, if the first is the interpreter of a script
        if Path(word).name in SERVERS:
            return Path(word).name
    if command[1:2] != ["-m"]:
        return ""
    module, name = (*command[2:4], "", "")[:2]
    service = module.removeprefix("libra.")
    if service not in SERVICES or module == service:
        return ""
    return name if kind(name) == service else service


def _each(processes: Iterable[psutil.Process], method: str) -> None:
    for process in processes:
        try:
            getattr(process, method)()
        except psutil.NoSuchProcess:
            continue
