"""What a reader is promised of every file: one noun, short functions, and services that keep to themselves."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "services" / "libra"
TESTS = ROOT / "tests"
SERVICES = ("attack", "dispatch", "gateway", "judge", "ranking")
FURNITURE = ("__init__.py", "__main__.py", "settings.py", "stage.py", "service.py")
MAX_FUNCTION_LINES = 50
MAX_FILE_LINES = 400
MAX_STAGE_LINES = 150


def sources() -> Iterator[Path]:
    yield from (path for path in sorted(SOURCE.rglob("*.py")) if "v1" not in path.relative_to(SOURCE).parts)


def test_no_function_is_longer_than_a_page() -> None:
    long = [
        f"{path.relative_to(SOURCE)}:{node.lineno} {node.name}"
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno + 1 > MAX_FUNCTION_LINES
    ]
    assert long == []


def test_no_file_holds_more_than_a_noun() -> None:
    files = [*sources(), *sorted(TESTS.rglob("*.py"))]
    long = {str(path.relative_to(ROOT)): path.read_text().count("\n") for path in files}
    assert {path: lines for path, lines in long.items() if lines > MAX_FILE_LINES} == {}
    assert {path: n for path, n in long.items() if path.endswith("/stage.py") and n > MAX_STAGE_LINES} == {}


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_the_same_furniture(service: str) -> None:
    # Dispatch begins the pipeline: it reads no batch, and serves four nouns instead of one.
    expected = FURNITURE if service != "dispatch" else FURNITURE[:3]
    assert [name for name in expected if not (SOURCE / service / name).exists()] == []
