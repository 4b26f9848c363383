from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.unit.cli.scripted_services import ScriptedServices, scripted_services

from .pages_client import PagesClient, open_pages


@pytest.fixture
def services(tmp_path: Path) -> Iterator[ScriptedServices]:
    with scripted_services(tmp_path) as opened:
        yield opened


@pytest.fixture
async def pages(services: ScriptedServices) -> AsyncIterator[PagesClient]:
    async with open_pages(services) as opened:
        yield opened
