from __future__ import annotations

import ctypes
import sys

import pytest

from libra.local.programs.shared_libraries import find_remedy


@pytest.mark.parametrize(
    ("text", "library", "package"),
    [
        (
            "/x/mongod: error while loading shared libraries: libcurl.so.4: cannot open shared object file",
            "libcurl.so.4",
            "`sudo apt-get install libcurl4`",
        ),
        (
            "libgomp.so.1: cannot open shared object file: No such file or directory",
            "libgomp.so.1",
            "`sudo apt-get install libgomp1`",
        ),
        (
            "mongod: error while loading shared libraries: libodd.so.9: no",
            "libodd.so.9",
            "the package of your system that contains it",
        ),
        ("dyld[7]: Library not loaded: /usr/lib/libcurl.4.dylib\n  Referenced from", "libcurl.4.dylib", "update macOS"),
    ],
)
def test_the_remedy_names_the_missing_library_and_its_package(text: str, library: str, package: str) -> None:
    assert f"{library} " in find_remedy(text)
    assert package in find_remedy(text)


@pytest.mark.skipif(sys.platform != "linux", reason="the loader of Linux")
def test_the_message_of_this_systems_loader_is_recognised() -> None:
    with pytest.raises(OSError, match="libgomp") as caught:
        ctypes.CDLL("libgomp.so.99")
    assert "apt-get install libgomp1" in find_remedy(str(caught.value))


def test_another_error_has_no_remedy() -> None:
    assert find_remedy("DBPathInUse: Unable to lock the lock file") == ""
