"""Which processes are ours is asked of the operating system: shown with stand-ins that bear a part's name."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil
import pytest

from libra.local import processes

Start = Callable[..., subprocess.Popen[bytes]]

SLEEPS = "import time\nprint('ready', flush=True)\ntime.sleep(60)\n"
DEAF = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SLEEPS


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts what looks like a service, in a folder: it is found by its command line and by where it works."""
    started = []

    def run(name: str, folder: Path, program: str = SLEEPS, words: Sequence[str] = ()) -> subprocess.Popen[bytes]:
        package = tmp_path / "package" / "libra"
        package.mkdir(parents=True, exist_ok=True)
        (package / "__init__.py").touch()
        (package / f"{name}.py").write_text(program)
        folder.mkdir(exist_ok=True)
        command = [sys.executable, "-m", f"libra.{name}", *words]
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


def test_a_part_is_known_by_its_command_and_its_folder(start: Start, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    judge, attack, other = start("judge", one), start("attack", one), start("judge", two)
    second = start("judge", one, words=["judge-2"])
    start("somebody", one)
    assert {name: process.pid for name, process in processes.of(one).items()} == {
        "judge": judge.pid,
        "judge-2": second.pid,
        "attack": attack.pid,
    }
    assert processes.of(two)["judge"].pid == other.pid
    assert processes.of(tmp_path) == {}


def test_what_was_killed_is_gone_and_the_others_stay(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "one"
    start("judge", folder)
    start("attack", folder)
    processes.kill([processes.of(folder)["judge"]])
    assert list(processes.of(folder)) == ["attack"]
    processes.kill([])


def test_what_does_not_hear_is_killed(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "one"
    start("judge", folder, DEAF)
    start("attack", folder)
    found = processes.of(folder)
    processes.end(found.values(), 0.3)
    assert processes.of(folder) == {}
    processes.end(found.values(), 0.3)  # it is no fault that they are gone


def test_a_stopped_process_ends_too(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "one"
    start("judge", folder)
    found = processes.of(folder)
    found["judge"].suspend()
    processes.end(found.values(), 5.0)
    assert processes.of(folder) == {}


def test_who_listens_is_told_from_who_only_runs(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "one"
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", 0))
        somebody.listen()
        port = somebody.getsockname()[1]
        start("judge", folder)
        judge = processes.of(folder)["judge"]
        assert not processes.listens(judge, port)
        assert processes.listens(psutil.Process(), port)
        assert not processes.listens(psutil.Process(), port + 1)
        judge.kill()
        judge.wait()
        assert not processes.listens(judge, port)
