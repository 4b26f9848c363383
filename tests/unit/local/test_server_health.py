"""Free space of the disk, and the health of a server that does not reply."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from libra.local import server_health
from libra.local.servers import free_port
from libra.local.system import System


def test_the_free_space_of_a_folder_is_that_of_its_disk(tmp_path: Path) -> None:
    free = os.statvfs(tmp_path)
    assert abs(server_health.free_bytes(tmp_path) - free.f_bavail * free.f_frsize) < 2**30
    assert not server_health.is_disk_full(tmp_path)


def test_a_server_that_does_not_reply_reports_no_problem() -> None:
    assert server_health.find_nats_problem(free_port()) == ""


def test_up_refuses_a_full_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], check=False, capture_output=True
    ).returncode:
        pytest.skip("this user may not mount a file system")
    try:
        with pytest.raises(server_health.DiskFull, match="free at least 32 MiB"):
            System(disk / "data").up()
    finally:
        subprocess.run(["umount", disk], check=True)
