"""Reports what this replica knows of its models once a second, as far as it changed, and adopts what others parked."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Protocol

from google.protobuf.timestamp_pb2 import Timestamp
from ulid import ULID

from libra.core.errors import Unavailable
from libra.core.timeouts import wait_until_set
from libra.gateway.limits.limiter import Limiter
from libra.gateway.parking.activity import ModelActivity
from libra.gateway.parking.gate import ModelGate
from libra.gateway.parking.shared_park import SharedPark
from libra.store.models.health import HealthCollection, HealthReport
from libra.v1.model_pb2 import MODEL_STATE_PARKED, MODEL_STATE_READY, MODEL_STATE_UNUSABLE, Model, ModelHealth

REPORT_SECONDS = 1.0
REPEAT_SECONDS = 10.0
"""An unchanged report is repeated after this time while it says more than that nothing happens."""

TOUCH_SECONDS = 10.0


class ReportedChannel(Protocol):
    """The parts of `libra.gateway.model_channel.ModelChannel` that are reported."""

    model: Model
    limiter: Limiter
    activity: ModelActivity
    gate: ModelGate

    def show_ceiling(self) -> None:
        """Show in the metrics how much of the model's ceiling is used."""


class HealthReporter:
    """One per process."""

    def __init__(
        self,
        store: HealthCollection,
        shared: SharedPark,
        channels: Callable[[], Iterable[ReportedChannel]],
        problem_of: Callable[[Model], str],
    ) -> None:
        self._store, self._shared, self._channels, self._problem_of = store, shared, channels, problem_of
        self._replica = str(ULID())
        self._written: dict[str, tuple[HealthReport, float]] = {}
        """By model, the last report and when it was written, by the event loop's clock."""

        self._touched_at = 0.0

    async def work(self, stop: asyncio.Event) -> None:
        """Report until `stop` is set. While the store is away, nothing is reported; readiness shows the outage."""
        while not stop.is_set():
            try:
                await self.share()
                await self.report()
            except Unavailable:
                pass
            await wait_until_set(stop, REPORT_SECONDS)

    async def share(self) -> None:
        """Park the models that another replica has parked, and open those that it has opened."""
        gates = {channel.gate: channel.gate.version for channel in self._channels()}
        parked = await self._shared.read()
        for gate, version in gates.items():
            if gate.version == version and not self._shared.is_writing(gate.model):
                gate.adopt(parked.get(gate.model))
        await self._touch([gate for gate in gates if gate.park is not None and gate.is_wanted])

    async def report(self) -> None:
        """Write the reports that changed."""
        now = asyncio.get_running_loop().time()
        reports = [self._report_of(channel) for channel in self._channels()]
        due = [report for report in reports if self._is_due(report, now)]
        await self._store.write(due)
        self._written |= {report.model: (report, now) for report in due}

    async def _touch(self, gates: list[ModelGate]) -> None:
        now = asyncio.get_running_loop().time()
        if gates and now - self._touched_at >= TOUCH_SECONDS:
            self._touched_at = now
            await asyncio.gather(*(self._shared.touch(gate.model) for gate in gates))

    def _is_due(self, report: HealthReport, now: float) -> bool:
        last, written_at = self._written.get(report.model, (None, 0.0))
        if report != last:
            return True
        return is_active(report.health) and now - written_at >= REPEAT_SECONDS

    def _report_of(self, channel: ReportedChannel) -> HealthReport:
        activity, model = channel.activity, channel.model
        channel.show_ceiling()
        health = ModelHealth(
            state=MODEL_STATE_READY,
            in_flight=channel.limiter.in_flight,
            error=activity.last_error if activity.errors else "",
            errors=activity.errors,
        )
        if activity.answer_at is not None:
            # In whole seconds, so that a busy model is not written for that alone.
            health.answer_time.FromSeconds(int(activity.answer_at))
        if channel.gate.park is not None:
            describe_park(health, channel.gate)
        elif problem := self._problem_of(model):
            health.state, health.error = MODEL_STATE_UNUSABLE, problem
        error_time = None if activity.error_at is None else datetime.fromtimestamp(int(activity.error_at), UTC)
        return HealthReport(model.name, self._replica, health, error_time, dict(activity.answered))


def describe_park(health: ModelHealth, gate: ModelGate) -> None:
    """Say in a report why the model is parked, and what happens when."""
    park = gate.park
    if park is None:
        return
    health.state, health.error = MODEL_STATE_PARKED, park.reason
    for timestamp, at in (
        (health.park_time, park.parked_at),
        (health.probe_time, park.probe_at),
        (health.give_up_time, gate.give_up_at),
    ):
        if math.isfinite(at):
            _set_time(timestamp, at)


def is_active(health: ModelHealth) -> bool:
    """Return whether a report says that something is going on."""
    return bool(health.in_flight) or health.state == MODEL_STATE_PARKED


def _set_time(timestamp: Timestamp, at: float) -> None:
    """Set a time of the event loop's clock, to the second: the clocks drift, and a report repeats if it changes."""
    timestamp.FromSeconds(round(time.time() + at - asyncio.get_running_loop().time()))
