"""The architecture page names files and functions that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "architecture.md").read_text()
OUTSIDE = ("tests/", "protos/", "deploy/", "k8s/", "docs/", "services/")


def located(path: str) -> Path:
    return ROOT / path if path.startswith(OUTSIDE) else ROOT / "services" / "libra" / path


def defined_names(path: Path) -> set[str]:
    """Return the functions and classes of a file, and the methods as `Class.method`."""
    names = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            methods = (each for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))
            names.update(f"{node.name}.{method.name}" for method in methods)
    return names


@pytest.mark.parametrize("reference", sorted(set(re.findall(r"`([\w/]+\.py:[\w.]+)`", PAGE))))
def test_a_function_that_the_page_names_exists(reference: str) -> None:
    path, _, name = reference.partition(":")
    assert name in defined_names(located(path))


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:[a-z_0-9]+/)+[\w.]*|[a-z_]+\.py)`", PAGE))))
def test_a_path_that_the_page_names_exists(path: str) -> None:
    # A bare name such as `service.py` stands for that file in each service.
    assert located(path).exists() or list((ROOT / "services" / "libra").glob(f"*/{path}"))


def test_the_page_names_every_package() -> None:
    packages = {path.parent.name for path in (ROOT / "services" / "libra").glob("*/__init__.py")}
    layers = PAGE.partition("## Layers")[2].partition("## One trial")[0]
    assert packages - set(re.findall(r"\w+", layers)) == set()
