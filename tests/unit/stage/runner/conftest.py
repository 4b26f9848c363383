"""What the tests of the runner share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs


@pytest.fixture(autouse=True)
def _silence() -> Iterator[None]:
    """Keep the log of each bug that is played from being drawn, which takes longer than the rest."""
    with capture_logs():
        yield
