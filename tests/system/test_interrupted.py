"""Ctrl-C while `libra up` is at work: what it has started is ended again, and it says so."""

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

from libra.local.settings import inherited
from libra.local.system import System

from .test_local import living

pytestmark = pytest.mark.timeout(200)

PATIENCE_SECONDS = 60.0


def sit_down() -> None:
    """Begin a session as a login does, whatever the tests themselves were started from."""
    # The session's leader takes the terminal for its own, so that the kernel sends SIGINT to whoever is in it.
    os.close(os.open(os.ttyname(0), os.O_RDWR))
    # A shell has what it runs in the background ignore SIGINT, and that is inherited.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """`libra up` in a terminal of its own, where Ctrl-C can be pressed."""

    def __init__(self, folder: Path) -> None:
        self._ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "libra.cli", "--data", str(folder), "up"]
        self._process = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=inherited(),
            start_new_session=True,
            preexec_fn=sit_down,  # noqa: PLW1509 - no threads here
        )
        os.close(theirs)
        os.set_blocking(self._ours, False)
        self.said = ""

    def press_ctrl_c(self) -> None:
        os.write(self._ours, b"\x03")

    def until(self, reached: Callable[[str], bool]) -> None:
        last = time.monotonic() + PATIENCE_SECONDS
        while not reached(self.said):
            assert time.monotonic() < last, self.said
            self._read()
            time.sleep(0.02)

    def end(self) -> int:
        """Return the exit code, once it has ended and everything it said has been read."""
        self.until(lambda _: self._process.poll() is not None)
        self._read()
        os.close(self._ours)
        return self._process.returncode

    def _read(self) -> None:
        try:
            self.said += os.read(self._ours, 65536).decode()
        except OSError:  # there is nothing to read, now or any more
            return


@pytest.mark.parametrize("moment", ["starting nats-server", "starting mongod", "starting judge", "waiting for"])
def test_ctrl_c_leaves_no_process_and_says_so(tmp_path: Path, moment: str) -> None:
    terminal = Terminal(tmp_path)
    terminal.until(lambda said: moment in said)
    terminal.press_ctrl_c()
    assert terminal.end() == 128 + signal.SIGINT, terminal.said
    assert "interrupted: everything that was started has been stopped; nothing runs in" in terminal.said
    assert living(tmp_path) == []


def test_ctrl_c_twice_ends_what_was_started_at_once_and_leaves_what_ran_before(tmp_path: Path) -> None:
    system = System(tmp_path)
    try:
        system.up()
        before = system.running()
        system.kill("ranking")
        psutil.Process(system.pid("judge")).suspend()  # so that all cannot be ready
        terminal = Terminal(tmp_path)
        terminal.until(lambda said: "waiting for" in said)
        psutil.Process(system.pid("ranking")).suspend()
        terminal.press_ctrl_c()
        terminal.until(lambda said: "ending what was started" in said)
        terminal.press_ctrl_c()
        pressed = time.monotonic()
        assert terminal.end() == 128 + signal.SIGINT, terminal.said
        assert time.monotonic() - pressed < 5
        assert "still running from before: nats-server, mongod, attack, gateway, judge, dispatch" in terminal.said
        assert set(system.running()) == set(before) - {"ranking"}
    finally:
        system.stop()
    assert living(tmp_path) == []
