"""The pages for contributors name files that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("CONTRIBUTING.md", "SECURITY.md")
PATH = re.compile(r"`((?:\.ci|deploy|k8s|protos|services|tests)/[\w./-]+)`")


@pytest.mark.parametrize("page", PAGES)
def test_every_path_in_a_page_exists(page: str) -> None:
    paths = PATH.findall((ROOT / page).read_text())
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []
