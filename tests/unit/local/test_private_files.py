"""Logs and state are readable by their owner only, also those of an earlier version."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from libra.local import lock, log_files, state
from libra.local.private_files import make_folder, open_private, restrict, restrict_system
from libra.local.topology import PARTS, SERVERS, Ports


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(autouse=True, params=[0o000, 0o022, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    previous = os.umask(request.param)
    yield
    os.umask(previous)


@pytest.mark.parametrize("open_mode", ["w", "wb", "ab"])
@pytest.mark.parametrize("existing", [None, 0o644, 0o666, 0o600])
def test_an_opened_file_is_private(tmp_path: Path, open_mode: str, existing: int | None) -> None:
    file = tmp_path / "file"
    if existing is not None:
        file.write_text("old\n")
        file.chmod(existing)
    with open_private(file, open_mode):
        assert mode(file) == 0o600
    assert file.read_text() == ("old\n" if existing is not None and open_mode == "ab" else "")


@pytest.mark.parametrize("existing", [None, 0o755, 0o777])
def test_a_folder_is_private(tmp_path: Path, existing: int | None) -> None:
    folder = tmp_path / "a" / "b"
    if existing is not None:
        folder.mkdir(parents=True)
        folder.chmod(existing)
    make_folder(folder)
    assert mode(folder) == 0o700


def test_the_lock_the_state_and_the_logs_are_private(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with lock.acquire(folder, 1.0, lambda _: None):
        state.save(folder, {"judge": Ports(1, 2)})
        for part in PARTS:
            log_files.prepare(folder, part)
    assert mode(folder) == mode(folder / "logs") == 0o700
    assert mode(folder / "lock") == mode(folder / "state.json") == 0o600


def test_what_an_earlier_version_wrote_becomes_private_and_other_files_keep_their_mode(tmp_path: Path) -> None:
    ours = ["lock", "state.json", "logs/judge.log", "logs/judge.log.1", "mongod/mongod.log", "nats-server/x.conf"]
    others = ["notes.txt", "logs/notes.txt"]
    for name in [*ours, *others]:
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(0o644)
    for folder in ("", "logs", "mongod", "nats-server"):
        (tmp_path / folder).chmod(0o755)
    (tmp_path / "logs" / "mongod.log").symlink_to(Path("..") / "notes.txt")
    restrict_system(tmp_path, SERVERS)
    assert {mode(tmp_path / name) for name in ours} == {0o600}
    assert {mode(tmp_path / name) for name in others} == {0o644}
    assert {mode(tmp_path / name) for name in ("", "logs", "mongod", "nats-server")} == {0o700}


def test_a_system_that_was_never_started_has_nothing_to_restrict(tmp_path: Path) -> None:
    restrict_system(tmp_path / "none", SERVERS)
    assert not (tmp_path / "none").exists()


def test_a_shared_folder_such_as_tmp_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    restrict(tmp_path)
    assert mode(tmp_path) == 0o1777
