from __future__ import annotations

import ctypes
import sys

import pytest

from libra.local.shared_libraries import remedy


@pytest.mark.parametrize(
    ("text", "library", "package"),
    [
        (
            "/x/mongod: error while loading shared libraries: libcurl.so.4: cannot open shared object file: No such file",
            "libcurl.so.4",
            "`sudo apt-get install libcurl4`",
        ),
        (
            "libgomp.so.1: cannot open shared object file: No such file or directory",
            "libgomp.so.1",
            "`sudo apt-get install libgomp1`",
        ),
        ("mongod: error while loading shared libraries: libodd.so.9: no", "libodd.so.9", "the package of your system"),
        ("dyld[7]: Library not loaded: /usr/lib/libcurl.4.dylib\n  Referenced from", "libcurl.4.dylib", "update macOS"),
    ],
)
def test_a_missing_library_is_named_with_its_remedy(text: str, library: str, package: str) -> None:
    assert f"{library} " in remedy(text)
    assert package in remedy(text)


@pytest.mark.skipif(sys.platform != "linux", reason="the loader of Linux")
def test_the_loader_of_this_system_is_understood() -> None:
    with pytest.raises(OSError, match="libgomp") as caught:
        ctypes.CDLL("libgomp.so.99")
    assert "apt-get install libgomp1" in remedy(str(caught.value))


def test_another_trouble_has_no_such_remedy() -> None:
    assert remedy("DBPathInUse: Unable to lock the lock file") == ""
