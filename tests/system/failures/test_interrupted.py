"""Ctrl-C during `libra up` stops the processes that it has started, and the output says so."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from tests.system.processes import find_processes

from libra.local.settings import inherited_environment
from libra.local.system import System

pytestmark = pytest.mark.timeout(200)

TIMEOUT_SECONDS = 60.0


def start_login_session() -> None:
    """Start a session with a controlling terminal, as a login does."""
    # The session leader opens the terminal and thereby controls it: the kernel sends SIGINT to the session's processes.
    os.close(os.open(os.ttyname(0), os.O_RDWR))
    # A shell lets background processes ignore SIGINT, and child processes inherit that.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """Runs `libra up` in its own terminal, where Ctrl-C can be pressed."""

    def __init__(self, folder: Path) -> None:
        self._controller, terminal_end = pty.openpty()
        command = [sys.executable, "-m", "libra.cli", "--data", str(folder), "up"]
        self._process = subprocess.Popen(
            command,
            stdin=terminal_end,
            stdout=terminal_end,
            stderr=terminal_end,
            env=inherited_environment(),
            start_new_session=True,
            preexec_fn=start_login_session,  # noqa: PLW1509 - no threads here
        )
        os.close(terminal_end)
        os.set_blocking(self._controller, False)
        self.output = ""

    def press_ctrl_c(self) -> None:
        os.write(self._controller, b"\x03")

    def wait_until(self, done: Callable[[str], bool]) -> None:
        deadline_seconds = time.monotonic() + TIMEOUT_SECONDS
        while not done(self.output):
            assert time.monotonic() < deadline_seconds, self.output
            self._read()
            time.sleep(0.02)

    def wait_for_exit(self) -> int:
        """Wait until the process has ended, read the rest of its output, and return the exit code."""
        self.wait_until(lambda _: self._process.poll() is not None)
        self._read()
        os.close(self._controller)
        return self._process.returncode

    def _read(self) -> None:
        try:
            self.output += os.read(self._controller, 65536).decode()
        except OSError:  # nothing to read now, or the process has ended
            return


@pytest.mark.parametrize("moment", ["starting nats-server", "starting mongod", "starting judge", "waiting for"])
def test_ctrl_c_stops_all_processes_and_says_so(tmp_path: Path, moment: str) -> None:
    terminal = Terminal(tmp_path)
    terminal.wait_until(lambda output: moment in output)
    terminal.press_ctrl_c()
    assert terminal.wait_for_exit() == 128 + signal.SIGINT, terminal.output
    assert "interrupted: everything that was started has been stopped; nothing runs in" in terminal.output
    assert find_processes(tmp_path) == []


def test_a_second_ctrl_c_kills_the_started_processes_and_keeps_those_that_ran_before(tmp_path: Path) -> None:
    system = System(tmp_path)
    try:
        system.up()
        running_before = system.running()
        system.kill("ranking")
        psutil.Process(system.pid("judge")).suspend()  # then the system cannot become ready
        terminal = Terminal(tmp_path)
        terminal.wait_until(lambda output: "waiting for" in output)
        psutil.Process(system.pid("ranking")).suspend()
        terminal.press_ctrl_c()
        terminal.wait_until(lambda output: "stopping the parts that were started" in output)
        terminal.press_ctrl_c()
        pressed = time.monotonic()
        assert terminal.wait_for_exit() == 128 + signal.SIGINT, terminal.output
        assert time.monotonic() - pressed < 5
        assert (
            "still running from before: nats-server, mongod, attack, gateway, judge, arena, dispatch" in terminal.output
        )
        assert set(system.running()) == set(running_before) - {"ranking"}
    finally:
        system.stop()
    assert find_processes(tmp_path) == []
