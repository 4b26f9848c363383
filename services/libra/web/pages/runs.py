"""The list of runs."""

from __future__ import annotations

from aiohttp import web

from libra.v1.run_pb2 import ListRunsRequest
from libra.v1.run_pb2_grpc import RunServiceStub
from libra.web.keys import BACKEND
from libra.web.query import Query
from libra.web.renderer import render
from libra.web.runs.run_summary import summarize

ROUTES = web.RouteTableDef()
PAGE_SIZE = 50


@ROUTES.get("/runs")
async def show(request: web.Request) -> web.Response:
    """Show the runs, the newest first."""
    query = Query.of(request)
    call = ListRunsRequest(page_size=PAGE_SIZE, page_token=query.page_token())
    query.finish()
    runs = await request.app[BACKEND].attempt(RunServiceStub, "ListRuns", call)
    summaries = [summarize(run) for run in runs.value.runs] if runs.value else []
    next_url = query.url(page=runs.value.next_page_token) if runs.value and runs.value.next_page_token else ""
    values = {"runs": runs, "summaries": summaries, "next_url": next_url, "is_first": not call.page_token}
    return render(request, "runs/list.html", values)
