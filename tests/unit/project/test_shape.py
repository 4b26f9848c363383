"""Limits on the shape of the code: lengths, entries per folder, names of modules, and no circles of imports."""

from __future__ import annotations

import ast
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "services" / "libra"
TESTS = ROOT / "tests"
SERVICES = ("arena", "attack", "dispatch", "gateway", "judge", "ranking")
SERVICE_FILES = ("__init__.py", "__main__.py", "settings.py", "stage.py", "service.py")
MAX_FUNCTION_LINES = 50
MAX_FILE_LINES = 400
MAX_STAGE_LINES = 150
MAX_FOLDER_ENTRIES = 20

FLAT_FOLDERS = {"services/libra", "services/libra/v1", "protos/libra/v1", "tests/unit", "docs/decisions"}
"""The packages that docs/architecture.md lists and their tests, generated code with its sources, and pages in the order
of their numbers: long lists by nature."""

VAGUE_NAMES = set(
    """
    appetite asking balance bell bench blunt bucket ciphering claim coding composing conductor dead desk door draw each
    ending entries exchange failures forms gaps gathering granting grants hand holding hostile judging keeping kind
    library line listing longest looking material mixed mortal noting numerals opinion overturned parts pressure
    prepared presenting pulling rejudging rise
    room saying selection settling shares sharing signals sources spoiling starting
    stillness stride talk tally telling told_apart translating turns voices waiting way writing
    """.split()  # noqa: SIM905 - a list of words reads best as text
)
"""Module names that Libra had and a reader did not find: gerunds, and words that are not terms of the field."""

Edge = tuple[str, str]

KNOWN_CIRCLES: set[Edge] = {
    ("libra.ranking.board", "libra.ranking.queries"),
}
"""Imports, from the first to the second, that close a circle today. Remove an entry when its import is gone."""


def sources() -> Iterator[Path]:
    yield from (path for path in sorted(SOURCE.rglob("*.py")) if "v1" not in path.relative_to(SOURCE).parts)


def test_functions_have_at_most_50_lines() -> None:
    long = [
        f"{path.relative_to(SOURCE)}:{node.lineno} {node.name}"
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno + 1 > MAX_FUNCTION_LINES
    ]
    assert long == []


def test_files_have_at_most_400_lines() -> None:
    files = [*sources(), *sorted(TESTS.rglob("*.py"))]
    long = {str(path.relative_to(ROOT)): path.read_text().count("\n") for path in files}
    assert {path: lines for path, lines in long.items() if lines > MAX_FILE_LINES} == {}
    assert {path: n for path, n in long.items() if path.endswith("/stage.py") and n > MAX_STAGE_LINES} == {}


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_the_same_files(service: str) -> None:
    # Dispatch starts the pipeline: it has no stage, and one `*_service` for each kind of resource. The arena is no part
    # of the pipeline.
    expected = {"dispatch": SERVICE_FILES[:3], "arena": (*SERVICE_FILES[:3], "service.py")}.get(service, SERVICE_FILES)
    assert [name for name in expected if not (SOURCE / service / name).exists()] == []


def test_folders_have_at_most_20_entries() -> None:
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    entries: defaultdict[str, set[str]] = defaultdict(set)
    for file in files:
        parts = file.split("/")
        for depth in range(1, len(parts)):
            entries["/".join(parts[:depth])].add(parts[depth])
    sizes = {folder: len(names) for folder, names in entries.items() if folder not in FLAT_FOLDERS}
    assert {folder: size for folder, size in sizes.items() if size > MAX_FOLDER_ENTRIES} == {}


def test_modules_have_names_that_a_newcomer_looks_for() -> None:
    assert [path.name for path in sources() if path.stem in VAGUE_NAMES] == []


def module_name(path: Path) -> str:
    names = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(names[:-1] if names[-1] == "__init__" else names)


def imports(path: Path, modules: set[str]) -> Iterator[str]:
    """Yield the modules that a file imports anywhere: at its top, inside a function, or for type checking only."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module, f"{path}:{node.lineno} imports relatively"
            within = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (name if name in modules else node.module for name in within)


def edges_between_siblings() -> dict[str, set[Edge]]:
    """Return by package which of its modules and sub-packages import which others, also by what lies inside them."""
    paths = {module_name(path): path for path in sources()}
    edges: defaultdict[str, set[Edge]] = defaultdict(set)
    for module, path in paths.items():
        for other in imports(path, set(paths)):
            ours, theirs = module.split("."), other.split(".")
            depth = next((i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), 0)
            if depth:
                edge = (".".join(ours[: depth + 1]), ".".join(theirs[: depth + 1]))
                edges[".".join(ours[:depth])].add(edge)
    return edges


def circle_in(edges: set[Edge]) -> list[str]:
    graph: defaultdict[str, list[str]] = defaultdict(list)
    for one, other in edges:
        graph[one].append(other)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [str(name) for name in error.args[1]]
    return []


def test_no_circle_of_imports_exists_inside_a_package() -> None:
    found = {package: circle_in(edges - KNOWN_CIRCLES) for package, edges in edges_between_siblings().items()}
    assert {package: circle for package, circle in found.items() if circle} == {}


def test_every_known_circle_still_exists() -> None:
    edges = edges_between_siblings()
    gone = [edge for edge in KNOWN_CIRCLES if not circle_in(edges[edge[0].rpartition(".")[0]] - KNOWN_CIRCLES | {edge})]
    assert gone == []


def test_a_circle_of_imports_is_found() -> None:
    chain = {("a.b", "a.c"), ("a.c", "a.d")}
    assert circle_in(chain) == []
    assert set(circle_in(chain | {("a.d", "a.b")})) == {"a.b", "a.c", "a.d"}
