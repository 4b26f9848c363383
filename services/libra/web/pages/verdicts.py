"""The verdicts of a run, 50 a page, by every filter, and by text with excerpts around it."""

from __future__ import annotations

import asyncio

from aiohttp import web

from libra.v1.judge_pb2 import ListJudgesRequest
from libra.v1.judge_pb2_grpc import JudgeServiceStub
from libra.v1.ranking_pb2 import ListVerdictsResponse
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.v1.run_pb2 import GetRunRequest
from libra.v1.run_pb2_grpc import RunServiceStub
from libra.web.keys import BACKEND
from libra.web.query import Query
from libra.web.renderer import render
from libra.web.runs.known_runs import suggests_runs
from libra.web.runs.run_summary import summarize
from libra.web.runs.verdict_rows import to_rows
from libra.web.security.permission import require_transcripts
from libra.web.transcript.verdict_filters import NAMED_FIELDS, VerdictFilters

ROUTES = web.RouteTableDef()
PAGE_SIZE = 50


@ROUTES.get("/runs/{run}/verdicts")
@suggests_runs
async def show(request: web.Request) -> web.StreamResponse:
    """Show a page of the verdicts that the filters of the URL select."""
    require_transcripts(request)
    query, name, backend = Query.of(request), request.match_info["run"], request.app[BACKEND]
    filters, token = VerdictFilters.read(query), query.page_token()
    query.finish()
    call = filters.to_request(name)
    call.page_size, call.page_token, call.count, call.excerpts = PAGE_SIZE, token, True, bool(call.text)
    run, page, judges = await asyncio.gather(
        backend.attempt(RunServiceStub, "GetRun", GetRunRequest(id=name)),
        backend.attempt(RankingServiceStub, "ListVerdicts", call),
        backend.attempt(JudgeServiceStub, "ListJudges", ListJudgesRequest()),
    )
    known_judges = judges.value.judges if judges.value else []
    values = {
        "run_id": name,
        "run": run,
        "summary": summarize(run.value.run) if run.value else None,
        "page": page,
        "rows": to_rows(page.value, filters) if page.value else [],
        "found": describe_count(page.value) if page.value else "",
        "filters": filters,
        "query": query,
        "choices": NAMED_FIELDS,
        "tasks": [task.partition("@")[0] for task in run.value.run.spec.tasks] if run.value else [],
        "labels": sorted({label for judge in known_judges for label in judge.labels}),
        "judges": [judge.name for judge in known_judges],
    }
    return render(request, "runs/verdicts.html", values)


def describe_count(page: ListVerdictsResponse) -> str:
    """Return how many verdicts the filters select, or how far the search for a text got."""
    if page.searched:
        found = f"{len(page.verdicts)} found among {page.searched:,} verdicts"
        return f"{found}; the search stopped after two seconds" if page.is_search_incomplete else found
    if not page.HasField("total"):
        return "too many to count in a second"
    more = "more than " if page.has_more_than_total else ""
    return f"{more}{page.total:,} {'verdict' if page.total == 1 else 'verdicts'}"
