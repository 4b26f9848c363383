from __future__ import annotations

import os
from pathlib import Path

import pytest

from libra.gateway.provider.keys.api_key import NoKey
from libra.gateway.provider.keys.key_folder import MAX_KEY_BYTES, KeyFolder


def test_a_key_is_read_from_its_file_and_a_change_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("first\n")
    folder = KeyFolder(str(tmp_path))
    assert folder.read("a") == folder.read("a") == "first"
    (tmp_path / "b").write_text("second")
    (tmp_path / "b").replace(tmp_path / "a")
    assert folder.read("a") == "second"
    (tmp_path / "a").unlink()
    with pytest.raises(NoKey, match="the key file a"):
        folder.read("a")


def test_a_secret_that_kubernetes_mounts_is_read_also_after_its_rotation(tmp_path: Path) -> None:
    for version in ("one", "two"):
        (tmp_path / f"..{version}").mkdir()
        (tmp_path / f"..{version}" / "key").write_text(version)
    (tmp_path / "..data").symlink_to("..one")
    (tmp_path / "key").symlink_to("..data/key")
    folder = KeyFolder(str(tmp_path))
    assert folder.read("key") == "one"
    (tmp_path / "..new").symlink_to("..two")
    (tmp_path / "..new").rename(tmp_path / "..data")
    assert folder.read("key") == "two"


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../outside", "/etc/passwd", "a/b", "..data", "a\x00b", "a b", ".hidden"]
)
def test_a_name_is_of_a_file_in_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(NoKey, match="name of a file"):
        KeyFolder(str(tmp_path)).read(name)


def test_a_file_outside_the_folder_a_folder_a_pipe_and_a_large_file_are_refused(tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "keys"
    outside.write_text("sk-outside")
    inside.mkdir()
    (inside / "link").symlink_to(outside)
    (inside / "folder").mkdir()
    os.mkfifo(inside / "pipe")
    (inside / "large").write_bytes(b"x" * (MAX_KEY_BYTES + 1))
    (inside / "binary").write_bytes(b"\xff\xfe")
    (inside / "loop").symlink_to(inside / "loop")
    folder = KeyFolder(str(inside))
    for name in ("link", "folder", "pipe", "large", "binary", "loop", "missing"):
        with pytest.raises(NoKey, match=name) as caught:
            folder.read(name)
        assert "sk-outside" not in str(caught.value)
        assert str(tmp_path) not in str(caught.value)


def test_without_a_folder_no_file_is_read() -> None:
    with pytest.raises(NoKey, match="LIBRA_GATEWAY_KEY_FOLDER"):
        KeyFolder("").read("a")
