"""Fixtures of the runner's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs


@pytest.fixture(autouse=True)
def _captured_logs() -> Iterator[None]:
    """Capture log lines: rendering the traceback of each simulated bug takes longer than all the rest."""
    with capture_logs():
        yield
