"""Finds the processes of a local system."""

from __future__ import annotations

from pathlib import Path

import psutil


def find_processes(folder: Path) -> list[int]:
    """Return the ids of all processes whose working directory is in the folder, found without Libra's code."""
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except psutil.Error:
            continue
    return found
