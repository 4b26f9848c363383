"""Ctrl-C during `libra up` stops the parts that it started, and the command says so."""

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

from libra.local.settings import inherited_environment
from libra.local.system import System

from .test_local import living

pytestmark = pytest.mark.timeout(200)

WAIT_SECONDS = 60.0


def take_terminal() -> None:
    """Make the terminal on standard input the controlling terminal of this process, as a login does."""
    # When a session leader opens a terminal, the kernel sends the terminal's SIGINT to the processes of the session.
    os.close(os.open(os.ttyname(0), os.O_RDWR))
    # A process that a shell runs in the background ignores SIGINT, and its children inherit that.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """Runs `libra up` in a new terminal, in which a test can press Ctrl-C."""

    def __init__(self, folder: Path) -> None:
        self._fd, terminal = pty.openpty()
        command = [sys.executable, "-m", "libra.cli", "--data", str(folder), "up"]
        self._process = subprocess.Popen(
            command,
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            env=inherited_environment(),
            start_new_session=True,
            preexec_fn=take_terminal,  # noqa: PLW1509 - no threads here
        )
        os.close(terminal)
        os.set_blocking(self._fd, False)
        self.output = ""

    def press_ctrl_c(self) -> None:
        os.write(self._fd, b"\x03")

    def wait_until(self, is_reached: Callable[[str], bool]) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while not is_reached(self.output):
            assert time.monotonic() < deadline, self.output
            self._read()
            time.sleep(0.02)

    def wait_for_exit(self) -> int:
        """Wait until the command exits, read the rest of its output, and return its exit code."""
        self.wait_until(lambda _: self._process.poll() is not None)
        self._read()
        os.close(self._fd)
        return self._process.returncode

    def _read(self) -> None:
        try:
            self.output += os.read(self._fd, 65536).decode()
        except OSError:  # there is nothing to read now, or the terminal is closed
            return


@pytest.mark.parametrize("moment", ["starting nats-server", "starting mongod", "starting judge", "waiting for"])
def test_ctrl_c_leaves_no_process_and_says_so(tmp_path: Path, moment: str) -> None:
    terminal = Terminal(tmp_path)
    terminal.wait_until(lambda output: moment in output)
    terminal.press_ctrl_c()
    assert terminal.wait_for_exit() == 128 + signal.SIGINT, terminal.output
    assert "interrupted: everything that was started has been stopped; nothing runs in" in terminal.output
    assert living(tmp_path) == []


def test_a_second_ctrl_c_kills_the_started_parts_at_once_and_leaves_the_others(tmp_path: Path) -> None:
    system = System(tmp_path)
    try:
        system.up()
        before = system.running()
        system.kill("ranking")
        psutil.Process(system.pid("judge")).suspend()  # so that not every part becomes ready
        terminal = Terminal(tmp_path)
        terminal.wait_until(lambda output: "waiting for" in output)
        psutil.Process(system.pid("ranking")).suspend()
        terminal.press_ctrl_c()
        terminal.wait_until(lambda output: "stopping the parts that were started" in output)
        terminal.press_ctrl_c()
        pressed = time.monotonic()
        assert terminal.wait_for_exit() == 128 + signal.SIGINT, terminal.output
        assert time.monotonic() - pressed < 5
        assert "still running from before: nats-server, mongod, attack, gateway, judge, dispatch" in terminal.output
        assert set(system.running()) == set(before) - {"ranking"}
    finally:
        system.stop()
    assert living(tmp_path) == []
