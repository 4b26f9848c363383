"""CPU time and peak memory of processes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import psutil

MIB = 2**20


def cpu_seconds(pids: Mapping[str, int]) -> dict[str, float]:
    """Return the CPU seconds that each process has used since its start."""
    times = {name: psutil.Process(pid).cpu_times() for name, pid in pids.items()}
    return {name: time.user + time.system for name, time in times.items()}


def peak_mib(pids: Mapping[str, int]) -> dict[str, float]:
    """Return the peak memory of each process since its start (VmHWM)."""
    return {name: _peak_bytes(pid) / MIB for name, pid in pids.items()}


def _peak_bytes(pid: int) -> int:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) * 1024
