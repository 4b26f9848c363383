"""Follows a run to its end over a stream that may break."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from libra.cli.client import ServiceClient, SystemNotRunning
from libra.cli.render.runs.progress import Reporter
from libra.core.errors import Unavailable
from libra.v1.run_pb2 import Run, RunState, WatchRunRequest
from libra.v1.run_pb2_grpc import RunServiceStub

STREAM_SECONDS = 3600.0
"""A stream is opened again after an hour, at the last revision that was seen."""

OUTAGE_SECONDS = 120.0
"""A dispatch that restarts responds again within this time; after it, the command fails."""

FOLLOWED = frozenset({RunState.RUN_STATE_RUNNING, RunState.RUN_STATE_PAUSED})
"""A paused run may be resumed by others. One that has used up its budget waits for a decision."""

RETRY_SECONDS = 1.0
REPORT_SECONDS = 1.0


@dataclass(slots=True)
class WatchState:
    """The newest known state of the run."""

    run: Run
    received_at: float
    """The time of the last reply, in seconds of a monotonic clock."""


async def watch(client: ServiceClient, run: Run, reporter: Reporter) -> Run:
    """Report the run at each change and once a second until it ends or stops, and return its last state.

    An outage of dispatch is tolerated for two minutes; after that, Unavailable is raised.
    """
    state = WatchState(run, time.monotonic())
    reporter.report(run)
    repeating = asyncio.create_task(report_every_second(state, reporter))
    try:
        while state.run.state in FOLLOWED:
            try:
                await follow_stream(client, state, reporter)
            except Unavailable as error:
                outage_seconds = time.monotonic() - state.received_at
                if isinstance(error, SystemNotRunning) or outage_seconds > OUTAGE_SECONDS:
                    raise
                reporter.report_outage("dispatch does not respond; this command retries, and the run is not lost")
                await asyncio.sleep(RETRY_SECONDS)
    finally:
        repeating.cancel()
    return state.run


async def follow_stream(client: ServiceClient, state: WatchState, reporter: Reporter) -> None:
    """Take over every state that dispatch sends, until the stream ends."""
    request = WatchRunRequest(id=state.run.id, after_revision=state.run.revision)
    async for reply in client.stream(RunServiceStub, "WatchRun", request, timeout_seconds=STREAM_SECONDS):
        state.run, state.received_at = reply.run, time.monotonic()
        reporter.report(state.run)


async def report_every_second(state: WatchState, reporter: Reporter) -> None:
    """Report the run also when nothing changes, because the rate falls then."""
    while True:
        await asyncio.sleep(REPORT_SECONDS)
        reporter.report(state.run)
