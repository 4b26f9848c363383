from __future__ import annotations

from pathlib import Path

from libra.local import log_files


def test_the_log_of_a_server_is_in_its_own_folder_and_linked_among_the_logs(tmp_path: Path) -> None:
    link = log_files.prepare(tmp_path, "mongod")
    (tmp_path / "mongod").mkdir()
    (tmp_path / "mongod" / "mongod.log").write_text("hello\n")
    assert link == log_files.path(tmp_path, "mongod") == log_files.prepare(tmp_path, "mongod")
    assert log_files.tail(link, 5) == "hello\n"


def test_a_large_log_is_rotated_at_the_next_start(tmp_path: Path) -> None:
    file = log_files.prepare(tmp_path, "judge")
    with file.open("wb") as log:
        log.truncate(log_files.MAX_BYTES + 1)
    assert log_files.prepare(tmp_path, "judge") == file
    assert log_files.size(file) == 0
    assert log_files.size(file.with_suffix(".log.1")) == log_files.MAX_BYTES + 1


def test_the_tail_is_the_last_lines_after_the_given_byte(tmp_path: Path) -> None:
    file = tmp_path / "a.log"
    assert log_files.tail(file, 3) == ""
    lines = [f"line {number}\n" for number in range(20_000)]
    file.write_text("".join(lines))
    assert log_files.tail(file, 3) == "".join(lines[-3:])
    assert log_files.tail(file, 15_000) == "".join(lines[-15_000:])
    assert log_files.tail(file, 0) == ""
    start = log_files.size(file)
    with file.open("ab") as log:
        log.write(b"new \xff\nlast")
    assert log_files.tail(file, 10, start=start) == "new \ufffd\nlast"


def test_following_a_log_yields_new_text_and_starts_again_after_a_rotation(tmp_path: Path) -> None:
    file = tmp_path / "a.log"
    file.write_text("old\n")
    followed = log_files.follow(file, log_files.size(file))
    with file.open("a") as log:
        log.write("more\n")
    assert next(followed) == "more\n"
    file.write_text("new\n")
    assert next(followed) == "new\n"
