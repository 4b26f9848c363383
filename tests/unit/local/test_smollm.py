"""The errors distinguish a package that is not installed from one that lacks a system library."""

from __future__ import annotations

from pathlib import Path

import pytest

from libra.local import smollm


def test_there_is_at_least_one_thread_and_at_most_the_maximum() -> None:
    assert 1 <= smollm.thread_count() <= smollm.MAX_THREADS


def test_the_error_for_a_missing_package_gives_the_command_that_installs_it() -> None:
    with pytest.raises(
        smollm.ModelNotInstalled, match=r"no_such_package, which serves .*, is not installed; run: pip install"
    ):
        smollm._import_package("no_such_package")


def test_the_error_for_a_missing_library_names_the_package_of_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = 'raise ImportError("libgomp.so.1: cannot open shared object file: No such file or directory")\n'
    (tmp_path / "lacks_a_library.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        smollm.ModelNotInstalled, match=r"is installed but cannot be loaded\..*`sudo apt-get install libgomp1`"
    ):
        smollm._import_package("lacks_a_library")
