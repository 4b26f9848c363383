"""Two models or two runs: the difference on each task, and the samples that one gets right and the other wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from libra.cli.render.compare import LEGEND, conclusions
from libra.cli.render.format import one_line
from libra.core.errors import CallerError
from libra.v1.gateway_pb2 import ListModelsRequest
from libra.v1.gateway_pb2_grpc import GatewayServiceStub
from libra.v1.ranking_pb2 import (
    ComparedSample,
    CompareModelsRequest,
    CompareModelsResponse,
    CompareSamplesRequest,
    SampleChange,
    SampleChangeCounts,
    VerdictView,
)
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.v1.round_pb2 import ListRoundsRequest
from libra.v1.round_pb2_grpc import RoundServiceStub
from libra.v1.run_pb2 import ListRunsRequest
from libra.v1.run_pb2_grpc import RunServiceStub
from libra.v1.verdict_pb2 import Verdict
from libra.web.keys import ACCESS, BACKEND
from libra.web.query import Query
from libra.web.renderer import render
from libra.web.transcript.verdict_details import HARMFUL
from libra.web.transcript.verdict_filters import verdict_url
from libra.web.unavailable import Part

ROUTES = web.RouteTableDef()
PAGE_SIZE = 20
MAX_CHOICES = 500
TEXT_CHARACTERS = 400
CHANGES = {
    "broken": SampleChange.SAMPLE_CHANGE_BROKEN,
    "fixed": SampleChange.SAMPLE_CHANGE_FIXED,
    "both_wrong": SampleChange.SAMPLE_CHANGE_BOTH_WRONG,
    "both_right": SampleChange.SAMPLE_CHANGE_BOTH_RIGHT,
}


@dataclass(frozen=True, slots=True)
class SampleSide:
    """The answer and score of one side on a sample."""

    name: str
    score: str
    label: str
    answer: str
    url: str


@dataclass(frozen=True, slots=True)
class SampleRow:
    """A sample with both sides."""

    what: str
    sample: int
    change: str
    prompt: str
    is_sealed: bool
    may_harm: bool
    sides: Sequence[SampleSide]


@ROUTES.get("/compare")
async def show(request: web.Request) -> web.Response:
    """Show the form and, once both sides are chosen, their comparison."""
    query = Query.of(request)
    sides = CompareModelsRequest(
        model=query.text("model"),
        other=query.text("other"),
        runs=query.texts("run"),
        other_runs=query.texts("other_run"),
        round=query.text("round"),
    )
    change, what, shows_text = query.choice("change", CHANGES, "broken"), query.text("what"), query.flag("show")
    call = CompareSamplesRequest(
        comparison=sides, change=CHANGES[change], what=what, page_size=PAGE_SIZE, page_token=query.page_token()
    )
    call.view = VerdictView.VERDICT_VIEW_FULL
    query.finish()
    values = await _load_choices(request) | await _load_comparison(request, sides, call)
    samples = values["samples"].value
    values |= {
        "query": query,
        "sides": sides,
        "change": change,
        "changes": CHANGES,
        "what": what,
        "shows_text": shows_text,
        "legend": LEGEND,
        "rows": [to_row(each, sides) for each in samples.samples] if samples else [],
        "counts": total_counts(samples.counts, what) if samples else {},
    }
    return render(request, "runs/compare.html", values)


async def _load_choices(request: web.Request) -> dict[str, Any]:
    backend = request.app[BACKEND]
    models, runs, rounds = await asyncio.gather(
        backend.attempt(GatewayServiceStub, "ListModels", ListModelsRequest(page_size=MAX_CHOICES)),
        backend.attempt(RunServiceStub, "ListRuns", ListRunsRequest(page_size=50)),
        backend.attempt(RoundServiceStub, "ListRounds", ListRoundsRequest()),
    )
    return {
        "models": [status.model.name for status in models.value.models] if models.value else [],
        "runs": list(runs.value.runs) if runs.value else [],
        "rounds": [each.name for each in rounds.value.rounds] if rounds.value else [],
    }


async def _load_comparison(
    request: web.Request, sides: CompareModelsRequest, call: CompareSamplesRequest
) -> dict[str, Any]:
    """Return the comparison and its samples; nothing until both sides are chosen, and what is wrong with them."""
    backend = request.app[BACKEND]
    values: dict[str, Any] = {"comparison": Part(), "samples": Part(), "problem": "", "conclusions": []}
    if not (sides.model and sides.other):
        return values
    try:
        values["comparison"] = await backend.attempt(RankingServiceStub, "CompareModels", sides)
        if values["comparison"].value:
            values["conclusions"] = _conclusions(values["comparison"].value, sides)
            if request.app[ACCESS].shows_transcripts:
                values["samples"] = await backend.attempt(RankingServiceStub, "CompareSamples", call)
    except CallerError as error:
        if error.field in {"page_token", "change", "what"}:
            raise
        values["problem"] = error.message
    return values


def _conclusions(reply: CompareModelsResponse, sides: CompareModelsRequest) -> list[str]:
    return [sentence for sentence in conclusions(reply, sides) if sentence]


def total_counts(counts: Iterable[SampleChangeCounts], what: str) -> Mapping[str, int]:
    """Return the number of samples of each class, on one task or on all."""
    selected = [each for each in counts if what in {"", each.what}]
    return {name: sum(getattr(each, name) for each in selected) for name in CHANGES}


def to_row(sample: ComparedSample, sides: CompareModelsRequest) -> SampleRow:
    """Return a sample with the beginning of its prompt and of both answers."""
    verdict = sample.verdict
    prompt = next((each.content for each in reversed(verdict.messages) if each.role == "user"), "")
    is_same = sides.model == sides.other
    names = ("this run", "other run") if is_same else (sides.model, sides.other)
    return SampleRow(
        what=sample.what,
        sample=verdict.sample,
        change=next(name for name, number in CHANGES.items() if number == sample.change),
        prompt=one_line(prompt, TEXT_CHARACTERS),
        is_sealed=verdict.sealed,
        may_harm=verdict.category in HARMFUL,
        sides=[
            _to_side(names[0], sample.score, sample.verdict),
            _to_side(names[1], sample.other_score, sample.other_verdict),
        ],
    )


def _to_side(name: str, score: float, verdict: Verdict) -> SampleSide:
    return SampleSide(
        name=name,
        score=f"{score:.2f}",
        label=verdict.label,
        answer=one_line(verdict.completion.text, TEXT_CHARACTERS),
        url=verdict_url(verdict.id),
    )
