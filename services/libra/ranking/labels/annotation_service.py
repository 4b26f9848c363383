"""AnnotationService: stores what people write about verdicts, and lists it."""

from __future__ import annotations

import math

import grpc.aio

from libra.core.access import team_scope
from libra.core.errors import Invalid, NotFound
from libra.core.sealed.sealing import WITHHELD
from libra.ranking.labels.label_import import MAX_AUTHOR
from libra.ranking.verdicts.verdict_details import find_verdict
from libra.rpc import paging
from libra.rpc.request_hash import hash_request
from libra.store.client import Store
from libra.store.documents.trial_ids import parse_verdict_id
from libra.v1 import annotation_pb2_grpc
from libra.v1.annotation_pb2 import (
    Annotation,
    CreateAnnotationRequest,
    CreateAnnotationResponse,
    ListAnnotationsRequest,
    ListAnnotationsResponse,
)

DEFAULT_PAGE, MAX_PAGE = 50, 500
MAX_TEXT, MAX_LABEL, MAX_REQUEST_ID = 10_000, 100, 64


class AnnotationService(annotation_pb2_grpc.AnnotationServiceServicer):
    """Answers from the store. It never changes a verdict or an annotation."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._page_tokens = paging.PageTokens(store.load_page_token_key)

    async def CreateAnnotation(
        self, request: CreateAnnotationRequest, context: grpc.aio.ServicerContext
    ) -> CreateAnnotationResponse:
        """Store an annotation; a repeat with the same request_id returns the first one."""
        annotation = check_annotation(request.annotation)
        if len(request.request_id) > MAX_REQUEST_ID:
            raise Invalid(f"it is longer than {MAX_REQUEST_ID} characters", field="request_id")
        verdict = await find_verdict(self._store, annotation.verdict)
        await self._require_change(verdict.run)
        stored = await self._store.annotations.insert(annotation, request.request_id, hash_request(request))
        return CreateAnnotationResponse(annotation=stored)

    async def ListAnnotations(
        self, request: ListAnnotationsRequest, context: grpc.aio.ServicerContext
    ) -> ListAnnotationsResponse:
        """Return a page of annotations."""
        size = paging.page_size(request.page_size, default=DEFAULT_PAGE, maximum=MAX_PAGE)
        list_name = f"annotations/{request.run}/{request.verdict}"
        after = await self._page_tokens.decode(request.page_token, list_name)
        await self._check_list(request)
        found = await self._store.annotations.list(
            run=request.run, verdict=request.verdict, after=after, limit=size + 1
        )
        page = found[:size]
        for annotation in page:
            await self._withhold(annotation)
        token = await self._page_tokens.encode(page[-1].id, list_name) if len(found) > size else ""
        return ListAnnotationsResponse(annotations=page, next_page_token=token)

    async def _check_list(self, request: ListAnnotationsRequest) -> None:
        if request.verdict:
            if request.run:
                raise Invalid("name a run or a verdict, not both", field="run")
            await self._check_visible(request.verdict)
        elif await self._store.runs.get_state(request.run) is None:
            raise NotFound.run(request.run, field="run")

    async def _require_change(self, run: str) -> None:
        """Raise PermissionDenied if a caller of a team writes about a run that all teams share."""
        if record := await self._store.runs.get(run):
            team_scope.require_change(record.run.team, f"the run {run}")

    async def _check_visible(self, verdict: str) -> None:
        """Raise NotFound for a verdict that a caller of a team does not see, whether or not it exists."""
        if team_scope.current() is not None:
            await find_verdict(self._store, verdict)

    async def _withhold(self, annotation: Annotation) -> None:
        """Replace the text of an annotation that may quote a sealed sample."""
        trial = parse_verdict_id(annotation.verdict)
        sealed = await self._store.seals.find_sealed({trial.task: [trial.sample]})
        if annotation.text and trial.sample in sealed.get(trial.task, ()):
            annotation.text = WITHHELD


def check_annotation(annotation: Annotation) -> Annotation:
    """Return the annotation with the fields that a caller may set; raise Invalid for the first bad one."""
    checked = Annotation(
        verdict=annotation.verdict,
        author=annotation.author.strip(),
        text=annotation.text.strip(),
        label=annotation.label.strip(),
    )
    if not checked.author:
        raise Invalid("name who writes the annotation", field="annotation.author")
    for name, limit in (("author", MAX_AUTHOR), ("text", MAX_TEXT), ("label", MAX_LABEL)):
        if (length := len(getattr(checked, name))) > limit:
            raise Invalid(f"it has {length:,} characters; the limit is {limit:,}", field=f"annotation.{name}")
    if annotation.HasField("score"):
        if not math.isfinite(annotation.score) or not 0 <= annotation.score <= 1:
            raise Invalid(f"{annotation.score:g} is not between 0 and 1", field="annotation.score")
        checked.score = annotation.score
    if not (checked.text or checked.label or annotation.HasField("score")):
        raise Invalid("write a text, or propose a label or a score", field="annotation.text")
    return checked
