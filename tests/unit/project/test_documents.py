"""The pages of the project name files and modules that exist, and their links lead somewhere."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "services" / "libra"
FILES = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
PACKAGES = "|".join(sorted(path.parent.name for path in SOURCE.glob("*/__init__.py")))
PATH = re.compile(rf"`((?:\.ci|deploy|docs|examples|k8s|protos|services|tests|{PACKAGES})/[\w./-]*)(?::[\w.]+)?`")
MODULE = re.compile(r"`(libra(?:\.\w+)+)`")
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def exists(module: str) -> bool:
    """Return whether a dotted name is a module, or a name that its module contains."""
    parts = module.split(".")[1:]
    for depth in range(len(parts), 0, -1):
        path = SOURCE.joinpath(*parts[:depth])
        file = path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__init__.py"
        if file.exists():
            return depth == len(parts) or re.search(rf"\b{parts[depth]}\b", file.read_text()) is not None
    return False


@pytest.mark.parametrize("page", FILES)
def test_paths_modules_and_links_of_a_page_exist(page: str) -> None:
    text = (ROOT / page).read_text()
    paths = [path for path in PATH.findall(text) if not ((ROOT / path).exists() or (SOURCE / path).exists())]
    modules = [module for module in MODULE.findall(text) if not exists(module)]
    links = [link for link in LINK.findall(text) if not (ROOT / page).parent.joinpath(link).exists()]
    assert (paths, modules, links) == ([], [], [])
