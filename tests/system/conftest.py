"""The whole system, as `libra up` starts it: once for every worker, put right again by whoever breaks it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from libra.local.system import System

from .client import Client


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with System.start(tmp_path_factory.mktemp("libra")) as started:
        yield started


@pytest.fixture
async def client(system: System) -> AsyncIterator[Client]:
    system.up()
    opened = Client(system)
    yield opened
    await opened.close()
