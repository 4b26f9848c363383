"""The whole system as `libra up` starts it, once per worker; a test that breaks it calls `system.up()` again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from libra.local.system import System


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with System.start(tmp_path_factory.mktemp("libra")) as started:
        yield started
