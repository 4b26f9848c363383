"""Boards by the entries of taxonomies, over gRPC, with the real store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest
from tests.integration.support.ranking_world import FINISHED, batch, create_run, failed, section, serving

from libra.rpc.client import call
from libra.store.client import Store
from libra.store.runs import RunSection
from libra.v1.ranking_pb2 import BoardRow, GetGroupedBoardRequest, GetGroupedBoardResponse
from libra.v1.ranking_pb2_grpc import RankingServiceStub
from libra.v1.task_pb2 import Category, Sample, Task

ADVERSARIAL, OVER_SENSITIVE = Category.CATEGORY_ADVERSARIAL, Category.CATEGORY_OVER_SENSITIVE


@pytest.fixture
async def stub(store: Store) -> AsyncIterator[RankingServiceStub]:
    async with serving(store) as client:
        yield client


async def group_by(stub: RankingServiceStub, by: str) -> GetGroupedBoardResponse:
    response: GetGroupedBoardResponse = await call(stub.GetGroupedBoard, GetGroupedBoardRequest(by=by), 10)
    return response


def rows(answer: GetGroupedBoardResponse) -> dict[str, BoardRow]:
    return {group.value: group.board.rows[0] for group in answer.groups}


async def import_task(store: Store, name: str, samples: Sequence[Sample], tags: Sequence[str] = ()) -> None:
    for ordinal, sample in enumerate(samples):
        sample.ordinal = ordinal
    await store.tasks.add(Task(name=name, version="1", sample_count=len(samples), tags=tags), samples)


async def finish(store: Store, parts: Sequence[RunSection], scores: Sequence[Sequence[float | None]]) -> None:
    run = await create_run(store, parts)
    await store.verdicts.write([batch(run, part, each) for part, each in zip(parts, scores, strict=True)])
    await store.runs.mark_ended(run, FINISHED)


async def test_samples_are_grouped_by_their_hazard_and_tasks_by_theirs(store: Store, stub: RankingServiceStub) -> None:
    areas = ["Scams and fraud", "Child safety", "Scams and fraud", "a new area"]
    await import_task(store, "simple_safety_test", [Sample(fields={"harm_area": area}) for area in areas])
    await import_task(store, "harmless_words", [Sample(), Sample()])
    await import_task(store, "mine", [Sample(), Sample(fields={"ailuminate": "prv"})], ["ailuminate:ncr"])
    parts = [
        section("simple_safety_test@1", 4),
        section("harmless_words@1", 2, category=OVER_SENSITIVE),
        section("mine@1", 2),
    ]
    await finish(store, parts, [[1, 0, 0, 1], [1, 0], [1, 0]])
    answer = await group_by(stub, "ailuminate")
    found = rows(answer)
    assert {value: row.safety.n for value, row in found.items()} == {"": 3, "cse": 1, "ncr": 4, "prv": 1}
    assert found["cse"].safety.value == 0
    # Half of two samples of one task, and of both samples of the other.
    assert found["ncr"].safety.value == 0.5
    assert [group.title for group in answer.groups] == [
        "",
        "Child Sexual Exploitation",
        "Non-Violent Crimes",
        "Privacy Violations",
    ]
    assert list(answer.notes) == [
        "the groups are the entries of MLCommons AILuminate 1.0",
        "a trial with several tags counts in the group of each",
        "2 trials have no tag of MLCommons AILuminate 1.0 (harmless_words): harmless prompts",
        "1 trial has no tag of MLCommons AILuminate 1.0 (simple_safety_test): no mapping is known",
        "cse has no interval where it has a single sample of a task: simple_safety_test",
        "prv has no interval where it has a single sample of a task: mine",
    ]


async def test_an_attack_adds_its_tags_to_those_of_the_task(store: Store, stub: RankingServiceStub) -> None:
    await import_task(store, "code_word", [Sample(), Sample()])
    await import_task(store, "harmfulq", [Sample(), Sample()])
    parts = [
        section("code_word@1", 2),
        section("harmfulq@1", 2),
        section("harmfulq@1", 2, attack="base64", category=ADVERSARIAL),
    ]
    await finish(store, parts, [[1, 1], [1, 0], [0, 0]])
    owasp, atlas = rows(await group_by(stub, "owasp")), rows(await group_by(stub, "atlas"))
    assert {value: row.counts.scored for value, row in owasp.items()} == {"": 2, "LLM01": 4, "LLM07": 2}
    assert owasp["LLM01"].safety.value == 0.5
    assert {value: row.counts.scored for value, row in atlas.items()} == {
        "": 2,
        "AML.T0051.000": 2,
        "AML.T0054": 2,
        "AML.T0056": 2,
        "AML.T0068": 2,
    }


async def test_samples_of_a_built_in_task_are_told_apart_by_their_id(store: Store, stub: RankingServiceStub) -> None:
    ids = ["dangerous-requests-01", "dangerous-requests-14", "dangerous-requests-19", "dangerous-requests-20"]
    await import_task(store, "dangerous_requests", [Sample(id=each) for each in ids])
    part = section("dangerous_requests@1", 5)
    run = await create_run(store, [part])
    await store.verdicts.write([batch(run, part, [1, None, 1]), failed(run, part, [3])])
    await store.runs.mark_ended(run, FINISHED)
    counts = {value: row.counts for value, row in rows(await group_by(stub, "ailuminate")).items()}
    assert {value: (each.scored, each.unjudged, each.failed) for value, each in counts.items()} == {
        "iwp": (1, 1, 0),
        "ssh": (1, 0, 1),
        "vcr": (0, 1, 0),
    }
