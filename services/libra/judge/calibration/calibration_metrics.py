"""Shows in the metrics how far judges agree with people, and when that was measured."""

from __future__ import annotations

import asyncio
import contextlib

from libra.core.errors import Unavailable
from libra.core.timeouts import wait_until_set
from libra.store.labels.calibrations import CalibrationCollection
from libra.telemetry.metrics import Metrics
from libra.v1.calibration_pb2 import Calibration

POLL_SECONDS = 60.0
"""Another replica may have measured, and this one may have been restarted since."""


async def watch_calibrations(
    calibrations: CalibrationCollection, metrics: Metrics, stop: asyncio.Event, *, poll_seconds: float = POLL_SECONDS
) -> None:
    """Record the newest stored calibration of each judge until told to stop."""
    recorded: dict[str, int] = {}
    while not stop.is_set():
        with contextlib.suppress(Unavailable):  # readiness reports it
            newest: dict[str, Calibration] = {}
            for each in await calibrations.list():
                newest.setdefault(each.judge.name, each)
            for judge, calibration in newest.items():
                time = calibration.create_time.ToNanoseconds()
                if recorded.get(judge) != time:  # a check for drift since then is newer
                    record_calibration(calibration, metrics)
                    recorded[judge] = time
        await wait_until_set(stop, poll_seconds)


def record_calibration(calibration: Calibration, metrics: Metrics) -> None:
    """Show the agreement of a stored calibration, and its age."""
    record_agreement(calibration, metrics)
    seconds = calibration.create_time.ToNanoseconds() / 1e9
    metrics.judge_calibration_timestamp_seconds.labels(judge=calibration.judge.name).set(seconds)


def record_agreement(calibration: Calibration, metrics: Metrics) -> None:
    """Show the agreement that was measured now."""
    metrics.judge_agreement.labels(judge=calibration.judge.name).set(calibration.accuracy.value)
