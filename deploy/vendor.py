"""Copies the files that the pages need from packages of npm, and checks the copies.

    python deploy/vendor.py           downloads the packages with `npm pack` and writes the files
    python deploy/vendor.py --check   compares the files with the recorded hashes; needs no network

`deploy/vendor.json` names the packages with their versions and licences, and records the SHA-256 of each copied file. A
version that npm serves with other content is refused, so that an update is a change of that file that a person reads.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RECORD = ROOT / "deploy" / "vendor.json"
DOWNLOAD_SECONDS = 120


def main() -> int:
    """Copy or check the files; return the exit status."""
    record = json.loads(RECORD.read_text())
    if sys.argv[1:] == ["--check"]:
        problems = [*find_problems(record), *find_strangers(record)]
        print("\n".join(problems), end="\n" if problems else "")
        return 1 if problems else 0
    for package in record["packages"]:
        copy_files(package)
    RECORD.write_text(json.dumps(record, indent=2) + "\n")
    return 0


def copy_files(package: dict[str, Any]) -> None:
    """Download a package and copy its files; record the hashes that are empty, and stop at one that differs."""
    with tempfile.TemporaryDirectory() as folder:
        name = f"{package['name']}@{package['version']}"
        subprocess.run(
            ["npm", "pack", name, "--pack-destination", folder, "--silent"],
            check=True, timeout=DOWNLOAD_SECONDS, stdout=subprocess.DEVNULL,
        )
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as opened:
            for file in package["files"]:
                member = opened.extractfile(f"package/{file['from']}")
                assert member, f"{name} has no file {file['from']}"
                content = member.read()
                if file["sha256"] not in ("", digest(content)):
                    raise SystemExit(f"{name}: {file['from']} differs from the recorded hash")
                file["sha256"] = digest(content)
                target = ROOT / file["to"]
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)


def find_problems(record: dict[str, Any]) -> list[str]:
    """Return a sentence for each file that is missing or differs from its hash."""
    files = [file for package in record["packages"] for file in package["files"]]
    return [
        f"{file['to']} differs from its hash in deploy/vendor.json; run `make vendor`"
        for file in files
        if not (ROOT / file["to"]).exists() or digest((ROOT / file["to"]).read_bytes()) != file["sha256"]
    ]


def find_strangers(record: dict[str, Any]) -> list[str]:
    """Return a sentence for each file in a folder of copies that the record does not name."""
    known = {ROOT / file["to"] for package in record["packages"] for file in package["files"]}
    present = {path for folder in record["folders"] for path in (ROOT / folder).rglob("*") if path.is_file()}
    return [f"{path.relative_to(ROOT)} is not in deploy/vendor.json" for path in sorted(present - known)]


def digest(content: bytes) -> str:
    """Return the SHA-256 of a file's content in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
