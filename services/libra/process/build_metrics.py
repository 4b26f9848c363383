"""Shows in the metrics which build of a service runs."""

from __future__ import annotations

import platform
from importlib.metadata import version

from libra.telemetry.metrics import Metrics


def show_build(service: str, metrics: Metrics) -> None:
    """Export the versions of Libra and of Python as labels."""
    metrics.build_info.labels(service=service, version=version("libra"), python=platform.python_version()).set(1)
