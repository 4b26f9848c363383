"""A package that is not installed is told apart from one that lacks a library of the system."""

from __future__ import annotations

from pathlib import Path

import pytest

from libra.local import smollm


def test_threads_leave_one_core_and_are_never_none() -> None:
    assert 1 <= smollm.threads() <= smollm.MOST_THREADS


def test_a_package_that_is_not_installed_is_told_with_the_command_that_installs_it() -> None:
    with pytest.raises(
        smollm.ModelMissing, match=r"no_such_package, which serves .*, is not installed; run: pip install"
    ):
        smollm._imported("no_such_package")


def test_a_package_that_lacks_a_library_is_told_with_the_package_of_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = 'raise ImportError("libgomp.so.1: cannot open shared object file: No such file or directory")\n'
    (tmp_path / "lacks_a_library.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(
        smollm.ModelMissing, match=r"is installed but cannot be loaded\..*`sudo apt-get install libgomp1`"
    ):
        smollm._imported("lacks_a_library")
