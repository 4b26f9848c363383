"""One run: its progress as it happens, what failed and why, its cost, its scores and its audit."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aiohttp_jinja2
from aiohttp import web

from libra.v1.ranking_pb2 import AuditRunRequest, GetBoardRequest, ReportFailuresRequest
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.v1.run_pb2 import CancelRunRequest, GetRunRequest, WatchRunRequest
from libra.v1.run_pb2_grpc import RunServiceStub
from libra.web.keys import BACKEND
from libra.web.query import Query
from libra.web.renderer import page_context, render_form
from libra.web.runs.failure_rows import to_rows
from libra.web.runs.known_runs import suggests_runs
from libra.web.runs.run_summary import ProgressReader, RunProgress
from libra.web.security.permission import require_transcripts
from libra.web.unavailable import Part, ServiceAway

ROUTES = web.RouteTableDef()
AUDIT_SECONDS = 60.0
UPDATE_SECONDS = 0.5
"""The least time between two updates of a watched page."""


@ROUTES.get("/runs/{run}", name="run")
@suggests_runs
async def show(request: web.Request) -> web.StreamResponse:
    """Show a run."""
    query, name, backend = Query.of(request), request.match_info["run"], request.app[BACKEND]
    wants_audit = query.flag("audit")
    query.finish()
    run = (await backend.call(RunServiceStub, "GetRun", GetRunRequest(id=name))).run
    failures, board, audit = await asyncio.gather(
        backend.attempt(RankingServiceStub, "ReportFailures", ReportFailuresRequest(run=name)),
        backend.attempt(RankingServiceStub, "GetBoard", GetBoardRequest(runs=[name])),
        _audit(request, name) if wants_audit else _nothing(),
    )
    groups = to_rows(name, failures.value.groups) if failures.value else []
    values = {
        "progress": ProgressReader().read(run),
        "failures": failures,
        "groups": groups,
        "board": board,
        "audit": audit,
        "wants_audit": wants_audit,
    }
    return render_form(request, "runs/run.html", values)


@ROUTES.get("/runs/{run}/progress")
async def watch(request: web.Request) -> web.StreamResponse:
    """Send the progress of a run as server-sent events, and the event `ended` after its last state."""
    name, reader = request.match_info["run"], ProgressReader()
    updates = request.app[BACKEND].stream(RunServiceStub, "WatchRun", WatchRunRequest(id=name))
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    sent = 0.0
    try:
        async for update in updates:
            progress = reader.read(update.run)
            if not response.prepared:
                await response.prepare(request)
            if progress.summary.is_ended or time.monotonic() - sent >= UPDATE_SECONDS:
                sent = time.monotonic()
                await response.write(_event(request, progress))
    except ServiceAway:
        if not response.prepared:
            raise
        return response  # the browser connects again
    await response.write(b"event: ended\ndata: ended\n\n")
    return response


@ROUTES.post("/runs/{run}/cancel")
async def cancel(request: web.Request) -> web.Response:
    """Cancel a run."""
    require_transcripts(request)
    name = request.match_info["run"]
    await request.app[BACKEND].call(RunServiceStub, "CancelRun", CancelRunRequest(id=name))
    raise web.HTTPSeeOther(request.app.router.named_resources()["run"].url_for(run=name))


async def _audit(request: web.Request, run: str) -> Part[Any]:
    backend = request.app[BACKEND]
    return await backend.attempt(
        RankingServiceStub, "AuditRun", AuditRunRequest(run=run), timeout_seconds=AUDIT_SECONDS
    )


async def _nothing() -> Part[Any]:
    return Part()


def _event(request: web.Request, progress: RunProgress) -> bytes:
    """Return the part of the page with the progress, as one event."""
    html = aiohttp_jinja2.render_string("runs/progress.html", request, {**page_context(request), "progress": progress})
    data = "".join(f"data: {line}\n" for line in html.splitlines())
    return f"{data}\n".encode()
