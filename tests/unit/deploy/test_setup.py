"""`deploy/setup.sh` installs missing packages as root on Debian and Ubuntu, and otherwise prints the command for it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "deploy" / "setup.sh"

TOOLS = ("cat", "dirname", "grep", "mkdir", "sed", "sh", "touch", "tr")

PYTHON = """#!/bin/sh
# A stand-in for Python {version}. It has the venv module and the libraries whose names are files in its folder.
case "$2" in
*ensurepip*) test -e "{bin}/venv" ;;
*ctypes*) test -e "{bin}/$3" ;;
*exit*) {fits} ;;
*print*) echo {version} ;;
*) echo "made with {version}: $*" ;;
esac
"""

APT_GET = """#!/bin/sh
echo "apt-get $*" >>"{bin}/calls"
test "$1" != install || touch "{bin}/venv" "{bin}/libcurl.so.4" "{bin}/libgomp.so.1"
"""

Machine = Callable[..., Path]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Return a function that makes a folder of programs: the only ones that the script finds."""

    def make(
        *, user: int = 1000, system: str = "Linux", pythons: tuple[str, ...] = (), has: tuple[str, ...] = ()
    ) -> Path:
        folder = tmp_path / "bin"
        folder.mkdir()
        for tool in TOOLS:
            (folder / tool).symlink_to(shutil.which(tool) or tool)
        write(folder / "id", f"#!/bin/sh\necho {user}\n")
        write(folder / "uname", f"#!/bin/sh\necho {system}\n")
        write(folder / "make", "#!/bin/sh\n")
        write(folder / "git", "#!/bin/sh\n")
        for version in pythons:
            fits = "true" if version in {"3.11", "3.12", "3.13"} else "false"
            write(folder / f"python{version}", PYTHON.format(version=version, fits=fits, bin=folder))
        for each in has:
            (folder / each).touch()
        return folder

    return make


def write(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def with_apt(folder: Path, *packages: str) -> None:
    write(folder / "apt-get", APT_GET.format(bin=folder))
    write(folder / "apt-cache", f'#!/bin/sh\ncase " {" ".join(packages)} " in *" $2 "*) ;; *) exit 1 ;; esac\n')


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a copy of the script, so that what it writes is not in the checkout."""
    deploy = folder.parent / "checkout" / "deploy"
    deploy.mkdir(parents=True, exist_ok=True)
    script = shutil.copy(SCRIPT, deploy)
    return subprocess.run(
        [str(folder / "sh"), script, *arguments],
        env={"PATH": str(folder), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


EVERYTHING = ("venv", "libcurl.so.4", "libgomp.so.1")


def test_the_newest_python_that_fits_makes_the_environment(machine: Machine) -> None:
    folder = machine(pythons=("3.10", "3.11", "3.12", "3.14"), has=EVERYTHING)
    done = run(folder, "new")
    assert (done.returncode, done.stdout) == (0, "made with 3.12: -m venv --clear new\n")


def test_the_python_that_is_named_is_taken_if_it_fits(machine: Machine) -> None:
    folder = machine(pythons=("3.11", "3.13", "3.14"), has=EVERYTHING)
    assert run(folder, "new", PYTHON="python3.11").stdout == "made with 3.11: -m venv --clear new\n"
    refused = run(folder, "new", PYTHON="python3.14")
    assert (refused.returncode, refused.stderr) == (1, "setup: PYTHON=python3.14 is not Python 3.11 to 3.13\n")


def test_without_root_the_one_line_is_printed(machine: Machine) -> None:
    folder = machine(pythons=("3.13",), has=("libcurl.so.4",))
    with_apt(folder)
    stopped = run(folder, "new")
    assert stopped.returncode == 1
    assert (
        "This line installs it: sudo apt-get update && sudo apt-get install --yes python3.13-venv libgomp1\n"
        in stopped.stderr
    )
    assert not (folder / "calls").exists()


def test_as_root_on_debian_it_is_installed(machine: Machine) -> None:
    folder = machine(user=0, pythons=("3.13",))
    with_apt(folder)
    done = run(folder, "new")
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("setup: installing python3.13-venv libcurl4 libgomp1 with apt-get\n")
    assert (folder / "calls").read_text().splitlines() == [
        "apt-get update",
        "apt-get install --yes --no-install-recommends python3.13-venv libcurl4 libgomp1",
    ]


def test_the_newest_python_among_the_packages_is_named(machine: Machine) -> None:
    folder = machine(pythons=("3.10",))
    with_apt(folder, "python3.11", "python3.12")
    assert "sudo apt-get install --yes python3.12 python3.12-venv libcurl4 libgomp1\n" in run(folder).stderr


def test_without_a_list_of_packages_the_python_of_the_system_is_named(machine: Machine) -> None:
    folder = machine()
    with_apt(folder)
    assert "sudo apt-get install --yes python3 python3-venv libcurl4 libgomp1\n" in run(folder).stderr


def test_a_system_without_a_python_that_fits_is_told_so(machine: Machine) -> None:
    folder = machine(pythons=("3.10",))
    with_apt(folder, "python3")
    stopped = run(folder)
    assert stopped.returncode == 1
    assert "apt-get knows no package of Python 3.11 to 3.13" in stopped.stderr


def test_macos_needs_python_alone(machine: Machine) -> None:
    folder = machine(system="Darwin", pythons=("3.9",))
    assert "This line installs it: brew install python@3.13\n" in run(folder).stderr
    assert run(machine_with_python(folder)).returncode == 0


def machine_with_python(folder: Path) -> Path:
    write(folder / "python3.13", PYTHON.format(version="3.13", fits="true", bin=folder))
    (folder / "venv").touch()
    return folder


def test_it_changes_nothing_on_a_machine_that_has_everything(machine: Machine) -> None:
    folder = machine(user=0, pythons=("3.13",), has=EVERYTHING)
    with_apt(folder)
    done = run(folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not (folder / "calls").exists()
    assert os.access(SCRIPT, os.X_OK)


def test_monitoring_is_installed_only_if_it_is_wanted(machine: Machine) -> None:
    folder = machine(pythons=("3.13",), has=EVERYTHING)
    with_apt(folder)
    assert run(folder).returncode == 0
    stopped = run(folder, "--monitoring")
    assert "sudo apt-get install --yes prometheus prometheus-alertmanager\n" in stopped.stderr
    for program in ("prometheus", "promtool", "alertmanager"):
        write(folder / program, "#!/bin/sh\n")
    assert run(folder, "--monitoring").returncode == 0


def test_homebrew_installs_monitoring_too(machine: Machine) -> None:
    folder = machine(system="Darwin", pythons=("3.13",), has=("venv",))
    stopped = run(folder, "--monitoring")
    assert "This line installs it: brew install prometheus alertmanager\n" in stopped.stderr
