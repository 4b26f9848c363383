"""The verdicts of a run, 50 a page, by every filter, and by text."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from aiohttp import web

from libra.cli.render.format import one_line
from libra.core.outcome_names import outcome_name
from libra.v1.judge_pb2 import ListJudgesRequest
from libra.v1.judge_pb2_grpc import JudgeServiceStub
from libra.v1.ranking_pb2 import ListVerdictsResponse
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.v1.run_pb2 import GetRunRequest
from libra.v1.run_pb2_grpc import RunServiceStub
from libra.v1.verdict_pb2 import OUTCOME_FILTERED, OUTCOME_SCORED, Verdict
from libra.web.keys import BACKEND
from libra.web.query import Query
from libra.web.renderer import render
from libra.web.runs.known_runs import suggests_runs
from libra.web.runs.run_summary import summarize
from libra.web.security.permission import require_transcripts
from libra.web.transcript.verdict_filters import NAMED_FIELDS, VerdictFilters

ROUTES = web.RouteTableDef()
PAGE_SIZE = 50
RATIONALE_CHARACTERS = 240


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """A verdict in the table."""

    verdict: Verdict
    url: str
    task: str
    outcome: str
    score: str
    rationale: str


@ROUTES.get("/runs/{run}/verdicts")
@suggests_runs
async def show(request: web.Request) -> web.StreamResponse:
    """Show a page of the verdicts that the filters of the URL select."""
    require_transcripts(request)
    query, name, backend = Query.of(request), request.match_info["run"], request.app[BACKEND]
    filters, token = VerdictFilters.read(query), query.page_token()
    query.finish()
    call = filters.to_request(name)
    call.page_size, call.page_token, call.count = PAGE_SIZE, token, True
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
        "rows": to_rows(page.value.verdicts, filters) if page.value else [],
        "found": describe_count(page.value) if page.value else "",
        "filters": filters,
        "query": query,
        "choices": NAMED_FIELDS,
        "tasks": [task.partition("@")[0] for task in run.value.run.spec.tasks] if run.value else [],
        "labels": sorted({label for judge in known_judges for label in judge.labels}),
        "judges": [judge.name for judge in known_judges],
    }
    return render(request, "runs/verdicts.html", values)


def to_rows(verdicts: Iterable[Verdict], filters: VerdictFilters) -> list[VerdictRow]:
    """Return the rows of the table."""
    return [
        VerdictRow(
            verdict=verdict,
            url=filters.verdict_url(verdict.id),
            task=verdict.task.partition("@")[0],
            outcome=outcome_name(verdict.outcome),
            score=score_text(verdict),
            rationale=one_line(verdict.rationale, RATIONALE_CHARACTERS),
        )
        for verdict in verdicts
    ]


def score_text(verdict: Verdict) -> str:
    """Return the score in two decimals; empty for a verdict without one."""
    return f"{verdict.score:.2f}" if verdict.outcome in {OUTCOME_SCORED, OUTCOME_FILTERED} else ""


def describe_count(page: ListVerdictsResponse) -> str:
    """Return how many verdicts the filters select, or how far the search for a text got."""
    if page.searched:
        found = f"{len(page.verdicts)} found among {page.searched:,} verdicts"
        return f"{found}; the search stopped after two seconds" if page.is_search_incomplete else found
    if not page.HasField("total"):
        return "too many to count in a second"
    more = "more than " if page.has_more_than_total else ""
    return f"{more}{page.total:,} {'verdict' if page.total == 1 else 'verdicts'}"
