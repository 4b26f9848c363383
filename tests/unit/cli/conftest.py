from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.cli.scripted_services import ScriptedServices, scripted_services


@pytest.fixture
def services(tmp_path: Path) -> Iterator[ScriptedServices]:
    with scripted_services(tmp_path) as services:
        yield services
