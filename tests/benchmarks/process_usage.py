"""What processes use of the machine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import psutil

MIB = 2**20


def cpu_seconds(pids: Mapping[str, int]) -> dict[str, float]:
    """Return the CPU seconds that each process has used so far."""
    times = {name: psutil.Process(pid).cpu_times() for name, pid in pids.items()}
    return {name: time.user + time.system for name, time in times.items()}


def peak_mib(pids: Mapping[str, int]) -> dict[str, float]:
    """Return the most memory that each process has ever held (VmHWM)."""
    return {name: _peak_bytes(pid) / MIB for name, pid in pids.items()}


def _peak_bytes(pid: int) -> int:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) * 1024
