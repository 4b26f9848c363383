"""Parts are found by their command line and working directory; the tests start stand-ins with the names of parts."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil
import pytest

from libra.local import processes

StartPart = Callable[..., subprocess.Popen[bytes]]

SLEEP = "import time\nprint('ready', flush=True)\ntime.sleep(60)\n"
IGNORE_SIGTERM = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SLEEP


@pytest.fixture
def start_part(tmp_path: Path) -> Iterator[StartPart]:
    """Return a function that starts a stand-in for a service with a folder as its working directory."""
    started = []

    def run(name: str, folder: Path, program: str = SLEEP, arguments: Sequence[str] = ()) -> subprocess.Popen[bytes]:
        package = tmp_path / "package" / "libra"
        package.mkdir(parents=True, exist_ok=True)
        (package / "__init__.py").touch()
        (package / f"{name}.py").write_text(program)
        folder.mkdir(exist_ok=True)
        command = [sys.executable, "-m", f"libra.{name}", *arguments]
        environment = {"PYTHONPATH": str(package.parent)}
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE)
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        return process

    yield run
    for process in started:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def test_a_part_is_found_by_its_command_line_and_working_directory(start_part: StartPart, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    judge, attack, other = start_part("judge", one), start_part("attack", one), start_part("judge", two)
    second = start_part("judge", one, arguments=["judge-2"])
    start_part("unrelated", one)
    assert {name: process.pid for name, process in processes.find_parts(one).items()} == {
        "judge": judge.pid,
        "judge-2": second.pid,
        "attack": attack.pid,
    }
    assert processes.find_parts(two)["judge"].pid == other.pid
    assert processes.find_parts(tmp_path) == {}


def test_killing_one_part_leaves_the_others(start_part: StartPart, tmp_path: Path) -> None:
    folder = tmp_path / "one"
    start_part("judge", folder)
    start_part("attack", folder)
    processes.kill([processes.find_parts(folder)["judge"]])
    assert list(processes.find_parts(folder)) == ["attack"]
    processes.kill([])


def test_a_process_that_ignores_sigterm_is_killed(start_part: StartPart, tmp_path: Path) -> None:
    folder = tmp_path / "one"
    start_part("judge", folder, IGNORE_SIGTERM)
    start_part("attack", folder)
    found = processes.find_parts(folder)
    processes.terminate(found.values(), 0.3)
    assert processes.find_parts(folder) == {}
    processes.terminate(found.values(), 0.3)  # processes that have ended are no error


def test_a_suspended_process_is_terminated(start_part: StartPart, tmp_path: Path) -> None:
    folder = tmp_path / "one"
    start_part("judge", folder)
    found = processes.find_parts(folder)
    found["judge"].suspend()
    processes.terminate(found.values(), 5.0)
    assert processes.find_parts(folder) == {}


def test_a_running_process_is_listening_only_if_the_port_is_its_own(start_part: StartPart, tmp_path: Path) -> None:
    folder = tmp_path / "one"
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        start_part("judge", folder)
        judge = processes.find_parts(folder)["judge"]
        assert not processes.is_listening(judge, port)
        assert processes.is_listening(psutil.Process(), port)
        assert not processes.is_listening(psutil.Process(), port + 1)
        judge.kill()
        judge.wait()
        assert not processes.is_listening(judge, port)
