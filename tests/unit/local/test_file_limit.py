from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import resource
from libra.local import processes
resource.setrlimit(resource.RLIMIT_NOFILE, (256, {hard}))
processes.raise_file_limit()
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def limits_after(hard: int) -> list[int]:
    printed = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(hard=hard)], capture_output=True, check=True, text=True
    ).stdout
    return [int(number) for number in printed.split()]


def test_the_default_limit_of_macos_is_raised() -> None:
    assert limits_after(8192) == [4096, 8192]


def test_the_limit_is_not_raised_beyond_what_the_system_permits() -> None:
    assert limits_after(300) == [300, 300]
