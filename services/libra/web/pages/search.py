"""A text in the verdicts of all runs, 50 a page, with excerpts around it."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from libra.v1.ranking_pb2 import ListVerdictsRequest, ListVerdictsResponse
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.v1.run_pb2 import ListRunsRequest
from libra.v1.run_pb2_grpc import RunServiceStub
from libra.web.backend import Backend
from libra.web.keys import BACKEND
from libra.web.pages.verdicts import PAGE_SIZE, describe_count
from libra.web.query import Query
from libra.web.renderer import render
from libra.web.runs.verdict_rows import to_rows
from libra.web.security.permission import require_transcripts
from libra.web.transcript.verdict_filters import NAMED_FIELDS, VerdictFilters
from libra.web.unavailable import Part

ROUTES = web.RouteTableDef()
NAMED_RUNS = 500
"""The newest runs, whose names are shown; older ones are shown by their ids."""


@ROUTES.get("/verdicts")
async def show(request: web.Request) -> web.StreamResponse:
    """Show the form and, once a text is given, a page of the verdicts with it, the newest run first."""
    require_transcripts(request)
    query, backend = Query.of(request), request.app[BACKEND]
    filters, token = VerdictFilters.read(query), query.page_token()
    query.finish()
    call = filters.to_request("")
    call.page_size, call.page_token, call.excerpts = PAGE_SIZE, token, True
    page, names = await asyncio.gather(_search(backend, call), _load_names(backend))
    values = {
        "page": page,
        "rows": to_rows(page.value, filters, names) if page.value else [],
        "found": describe_count(page.value) if page.value else "",
        "filters": filters,
        "query": query,
        "is_first": not token,
        "choices": NAMED_FIELDS,
    }
    return render(request, "runs/search.html", values)


async def _search(backend: Backend, call: ListVerdictsRequest) -> Part[ListVerdictsResponse]:
    if not call.text.strip():
        return Part()
    return await backend.attempt(RankingServiceStub, "ListVerdicts", call)


async def _load_names(backend: Backend) -> dict[str, str]:
    part: Part[Any] = await backend.attempt(RunServiceStub, "ListRuns", ListRunsRequest(page_size=NAMED_RUNS))
    return {run.id: run.spec.name for run in part.value.runs} if part.value else {}
