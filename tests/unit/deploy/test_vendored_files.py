"""The copies of npm packages are those that deploy/vendor.json records, and a change of them is found."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
RECORD = json.loads((ROOT / "deploy/vendor.json").read_text())
FILES = [file for package in RECORD["packages"] for file in package["files"]]


def check(root: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "deploy/vendor.py", "--check"]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a folder with the record, the script and the copies."""
    for path in ["deploy/vendor.json", "deploy/vendor.py", *(file["to"] for file in FILES)]:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    return tmp_path


def test_the_copies_are_those_of_the_record() -> None:
    done = check(ROOT)
    assert (done.returncode, done.stdout) == (0, "")


def test_a_changed_a_missing_and_a_foreign_file_are_found(copy: Path) -> None:
    first, second = (copy / file["to"] for file in FILES[:2])
    first.write_bytes(first.read_bytes() + b" ")
    second.unlink()
    (first.parent / "foreign.js").write_text("")
    done = check(copy)
    assert done.returncode == 1
    assert done.stdout.count("differs from its hash") == 2
    assert "foreign.js is not in deploy/vendor.json" in done.stdout


@pytest.mark.parametrize("package", RECORD["packages"], ids=lambda package: package["name"])
def test_each_package_has_a_version_a_licence_and_its_text(package: dict[str, Any]) -> None:
    assert package["licence"] in {"0BSD", "MIT", "MPL-2.0"}
    assert package["version"].count(".") == 2
    assert any("LICENSE" in file["to"] for file in package["files"])
