"""The rounds: what each one committed to before its first run, what it has released, and how to verify it."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from libra.core.errors import CallerError
from libra.v1.ranking_pb2 import ReportContaminationRequest, ReportStabilityRequest
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.v1.round_pb2 import (
    GetRoundCommitmentRequest,
    GetRoundReleaseRequest,
    GetRoundRequest,
    ListRoundsRequest,
    Round,
    RoundState,
)
from libra.v1.round_pb2_grpc import RoundServiceStub
from libra.web.backend import Backend
from libra.web.keys import BACKEND
from libra.web.query import Query
from libra.web.renderer import render
from libra.web.unavailable import Part

ROUTES = web.RouteTableDef()

PAGE_SIZE = 50
RELEASE_SECONDS = 120.0
REPORT_SECONDS = 60.0

STATES = {
    RoundState.ROUND_STATE_OPENING: "opening",
    RoundState.ROUND_STATE_OPEN: "open",
    RoundState.ROUND_STATE_CLOSED: "closed",
}


@ROUTES.get("/rounds")
async def show_all(request: web.Request) -> web.Response:
    """List the rounds, the newest first."""
    query = Query.of(request)
    listing = ListRoundsRequest(page_size=PAGE_SIZE, page_token=query.page_token())
    query.finish()
    rounds = await request.app[BACKEND].attempt(RoundServiceStub, "ListRounds", listing)
    return render(request, "rounds.html", {"query": query, "rounds": rounds, "states": STATES})


@ROUTES.get("/rounds/{name}")
async def show(request: web.Request) -> web.Response:
    """Show one round."""
    Query.of(request).finish()
    backend, name = request.app[BACKEND], request.match_info["name"]
    found: Round = (await backend.call(RoundServiceStub, "GetRound", GetRoundRequest(name=name))).round
    stability, contamination = await asyncio.gather(_load_stability(backend, found), _load_gaps(backend, found))
    values = {
        "round": found,
        "state": STATES.get(found.state, "unknown"),
        "is_closed": found.state == RoundState.ROUND_STATE_CLOSED,
        "stability": stability,
        "contamination": contamination,
    }
    return render(request, "round.html", values)


@ROUTES.get("/rounds/{name}/commitment.json")
async def download_commitment(request: web.Request) -> web.Response:
    """Send the commitment as it was published."""
    name = request.match_info["name"]
    call = request.app[BACKEND].call
    reply = await call(RoundServiceStub, "GetRoundCommitment", GetRoundCommitmentRequest(name=name))
    return web.Response(
        body=reply.commitment, content_type="application/json", headers=_attachment(f"{name}.commitment.json")
    )


@ROUTES.get("/rounds/{name}/release.jsonl")
async def download_release(request: web.Request) -> web.StreamResponse:
    """Send the release of a closed round, in pieces as they arrive."""
    name = request.match_info["name"]
    pieces = request.app[BACKEND].stream(
        RoundServiceStub, "GetRoundRelease", GetRoundReleaseRequest(name=name), timeout_seconds=RELEASE_SECONDS
    )
    response = web.StreamResponse(headers=_attachment(f"{name}.release.jsonl"))
    response.content_type = "application/jsonl"
    async for piece in pieces:
        if not response.prepared:  # an error before the first piece still has a page of its own
            await response.prepare(request)
        await response.write(piece.data)
    return response


def _attachment(file_name: str) -> dict[str, str]:
    """Return the header that makes a browser store a file; the name of a round needs no quotes."""
    return {"Content-Disposition": f'attachment; filename="{file_name}"'}


async def _load_stability(backend: Backend, found: Round) -> Part[Any]:
    """Return how the ranking changed since the round before; nothing for a first round, or without common anchors."""
    if not found.follows:
        return Part()
    return await _load_report(
        backend, "ReportStability", ReportStabilityRequest(earlier=found.follows, later=found.name)
    )


async def _load_gaps(backend: Backend, found: Round) -> Part[Any]:
    """Return the gaps between scores on published and on fresh samples."""
    return await _load_report(backend, "ReportContamination", ReportContaminationRequest(round=found.name))


async def _load_report(backend: Backend, method: str, request: object) -> Part[Any]:
    """Return a report; nothing if the round has too few results for it."""
    try:
        return await backend.attempt(RankingServiceStub, method, request, timeout_seconds=REPORT_SECONDS)
    except CallerError:
        return Part()
