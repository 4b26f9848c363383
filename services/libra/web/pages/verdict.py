"""One verdict: the whole conversation, what the attack changed, what the judge was shown and said, and annotations."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

from aiohttp import web

from libra.core.errors import CallerError, Invalid
from libra.v1.annotation_pb2 import Annotation, CreateAnnotationRequest, ListAnnotationsRequest
from libra.v1.annotation_pb2_grpc import AnnotationServiceStub
from libra.v1.judge_pb2_grpc import JudgeServiceStub
from libra.v1.ranking_pb2 import GetVerdictRequest, GetVerdictResponse
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.web.keys import BACKEND
from libra.web.query import Query
from libra.web.renderer import render_form
from libra.web.runs.known_runs import suggests_runs
from libra.web.runs.verdict_rows import score_text
from libra.web.security.permission import require_transcripts
from libra.web.transcript.verdict_details import prepare, preview_request
from libra.web.transcript.verdict_filters import VerdictFilters
from libra.web.unavailable import Part

ROUTES = web.RouteTableDef()
MAX_ANNOTATIONS = 500
FORM_FIELDS = ("author", "text", "label", "score")


@ROUTES.get("/verdicts/{verdict:.+}")
@suggests_runs
async def show(request: web.Request) -> web.StreamResponse:
    """Show a verdict."""
    return await _show(request)


@ROUTES.post("/verdicts/{verdict:.+}")
async def annotate(request: web.Request) -> web.Response:
    """Store an annotation, and show the verdict again; what is wrong with it is shown beside the form."""
    require_transcripts(request)
    form = await request.post()
    entered = {name: str(form.get(name, "")) for name in FORM_FIELDS}
    call = CreateAnnotationRequest(request_id=str(form.get("request_id", "")))
    try:
        call.annotation.CopyFrom(to_annotation(request.match_info["verdict"], entered))
        await request.app[BACKEND].call(AnnotationServiceStub, "CreateAnnotation", call)
    except CallerError as error:
        return await _show(request, entered, error)
    raise web.HTTPSeeOther(f"{request.path_qs}#annotations")


def to_annotation(verdict: str, entered: dict[str, str]) -> Annotation:
    """Return the annotation of a form. Raises Invalid for a score that is no number."""
    annotation = Annotation(verdict=verdict, author=entered["author"], text=entered["text"], label=entered["label"])
    if entered["score"].strip():
        try:
            annotation.score = float(entered["score"])
        except ValueError:
            raise Invalid(f"{entered['score']!r} is not a number", field="annotation.score") from None
    return annotation


async def _show(
    request: web.Request, entered: dict[str, str] | None = None, error: CallerError | None = None
) -> web.Response:
    require_transcripts(request)
    query, name, backend = Query.of(request), request.match_info["verdict"], request.app[BACKEND]
    filters = VerdictFilters.read(query)
    query.finish()
    run = name.partition("/")[0]
    call = GetVerdictRequest(id=name, list=filters.to_request(run) if filters.values else None)
    reply, annotations = await asyncio.gather(
        backend.call(RankingServiceStub, "GetVerdict", call),
        backend.attempt(
            AnnotationServiceStub, "ListAnnotations", ListAnnotationsRequest(verdict=name, page_size=MAX_ANNOTATIONS)
        ),
    )
    details = prepare(reply)
    values = {
        "details": details,
        "score": score_text(reply.verdict),
        "preview": await _preview(request, reply),
        "annotations": annotations,
        "filters": filters,
        "is_hidden": details.may_harm and not filters.shows_text,
        "entered": entered or dict.fromkeys(FORM_FIELDS, ""),
        "error": error,
        "error_field": error.field.rpartition(".")[2] if error else "",
        "action": request.path_qs,
    }
    return render_form(request, "runs/verdict.html", values, HTTPStatus.BAD_REQUEST if error else HTTPStatus.OK)


async def _preview(request: web.Request, reply: GetVerdictResponse) -> Part[Any]:
    """Return what the judge was shown; nothing if the judge cannot be asked."""
    call = preview_request(reply)
    if call is None:
        return Part()
    try:
        return await request.app[BACKEND].attempt(JudgeServiceStub, "PreviewJudging", call)
    except CallerError:  # the judge or its options do not exist any more
        return Part()
