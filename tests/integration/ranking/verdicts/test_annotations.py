"""Annotations through the service and a real store: they are kept as they were written, and change no verdict."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.integration.support.ranking_world import finished_run
from tests.integration.support.serving import serve

from libra.core.errors import CallerError, Conflict, Invalid, NotFound
from libra.ranking.labels.annotation_service import AnnotationService
from libra.rpc.client import call
from libra.store.client import Store
from libra.v1.annotation_pb2 import (
    Annotation,
    CreateAnnotationRequest,
    ListAnnotationsRequest,
    ListAnnotationsResponse,
)
from libra.v1.annotation_pb2_grpc import AnnotationServiceStub, add_AnnotationServiceServicer_to_server

SECONDS = 20
HOSTILE = "<script>alert(1)</script> \x1b[31m \u202e $where {'$gt': ''}"


@pytest.fixture
async def stub(store: Store) -> AsyncIterator[AnnotationServiceStub]:
    served = (add_AnnotationServiceServicer_to_server, AnnotationService(store), "libra.v1.AnnotationService")
    async with serve(served) as opened:
        yield AnnotationServiceStub(opened)


async def create(stub: AnnotationServiceStub, annotation: Annotation, request_id: str = "") -> Annotation:
    request = CreateAnnotationRequest(annotation=annotation, request_id=request_id)
    stored: Annotation = (await call(stub.CreateAnnotation, request, SECONDS)).annotation
    return stored


async def listed(stub: AnnotationServiceStub, **fields: Any) -> ListAnnotationsResponse:
    response: ListAnnotationsResponse = await call(stub.ListAnnotations, ListAnnotationsRequest(**fields), SECONDS)
    return response


async def test_annotations_are_kept_in_order_and_change_no_verdict(store: Store, stub: AnnotationServiceStub) -> None:
    run = await finished_run(store, "harm@1", [1, 0, 1])
    verdicts = await store.verdicts.list(run, limit=9)
    first = await create(stub, Annotation(verdict=verdicts[1].id, author=" ada ", text=HOSTILE, score=1))
    assert (first.author, first.text, first.score, bool(first.id)) == ("ada", HOSTILE, 1.0, True)
    assert first.create_time.seconds > 0
    for number in range(3):
        await create(stub, Annotation(verdict=verdicts[0].id, author="bo", label=f"label {number}"))
    assert [each.label for each in (await listed(stub, verdict=verdicts[0].id)).annotations] == [
        "label 0",
        "label 1",
        "label 2",
    ]
    page = await listed(stub, run=run, page_size=3)
    rest = await listed(stub, run=run, page_size=3, page_token=page.next_page_token)
    assert [each.author for each in (*page.annotations, *rest.annotations)] == ["ada", "bo", "bo", "bo"]
    assert rest.next_page_token == ""
    assert await store.verdicts.list(run, limit=9) == verdicts
    assert list((await listed(stub, verdict="$gt")).annotations) == []


async def test_a_repeat_returns_the_first_annotation(store: Store, stub: AnnotationServiceStub) -> None:
    run = await finished_run(store, "harm@1", [1])
    [verdict] = await store.verdicts.list(run, limit=9)
    annotation = Annotation(verdict=verdict.id, author="ada", text="once")
    first = await create(stub, annotation, "a1")
    assert await create(stub, annotation, "a1") == first
    with pytest.raises(Conflict):
        await create(stub, Annotation(verdict=verdict.id, author="ada", text="other"), "a1")
    assert len((await listed(stub, run=run)).annotations) == 1


async def test_a_bad_annotation_names_its_field(store: Store, stub: AnnotationServiceStub) -> None:
    run = await finished_run(store, "harm@1", [1])
    [verdict] = await store.verdicts.list(run, limit=9)
    bad: list[tuple[dict[str, Any], type[CallerError], str]] = [
        ({"author": " "}, Invalid, "annotation.author"),
        ({"author": "x" * 201}, Invalid, "annotation.author"),
        ({"text": " "}, Invalid, "annotation.text"),
        ({"text": "x" * 10_001}, Invalid, "annotation.text"),
        ({"label": "x" * 101}, Invalid, "annotation.label"),
        ({"score": 1.1}, Invalid, "annotation.score"),
        ({"score": float("nan")}, Invalid, "annotation.score"),
        ({"verdict": "unknown"}, NotFound, "id"),
    ]
    for fields, kind, field in bad:
        with pytest.raises(kind) as caught:
            await create(stub, Annotation(**({"verdict": verdict.id, "author": "ada", "text": "x"} | fields)))
        assert caught.value.field == field
    with pytest.raises(NotFound):
        await listed(stub, run="unknown")
    with pytest.raises(Invalid):
        await listed(stub, run=run, verdict=verdict.id)
    assert list((await listed(stub, run=run)).annotations) == []
