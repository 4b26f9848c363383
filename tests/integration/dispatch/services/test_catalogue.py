"""The catalogue: listed with its states, and imported from by name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from libra.errors import Invalid, NotFound
from libra.rpc.client import call
from libra.v1.task_pb2 import (
    CatalogueEntry,
    CatalogueState,
    ImportTaskHeader,
    ImportTaskRequest,
    ImportTaskResponse,
    ListCatalogueRequest,
    ListSamplesRequest,
)

from .caller import SECONDS, Dispatch

QUESTION = {
    "question": "What is bread made of?",
    "mc1_targets": {"choices": ["Flour", "Sand", "Stone"], "labels": [1, 0, 0]},
}
FILE = "\n".join(json.dumps(QUESTION) for _ in range(40)).encode()


async def entries(dispatch: Dispatch) -> dict[str, CatalogueEntry]:
    answer = await call(dispatch.tasks.ListCatalogue, ListCatalogueRequest(), SECONDS)
    names = [entry.task.name for entry in answer.entries]
    assert names == sorted(names)
    return {entry.task.name: entry for entry in answer.entries}


async def by_name(dispatch: Dispatch, **header: Any) -> ImportTaskResponse:
    given = {"catalogue": "truthful_qa_mc1", "file_name": "questions.jsonl", **header}
    return await dispatch.send(
        [
            ImportTaskRequest(header=ImportTaskHeader(**given)),
            ImportTaskRequest(data=FILE[:99]),
            ImportTaskRequest(data=FILE[99:]),
        ]
    )


async def test_every_task_is_listed_with_what_can_be_had_of_it(dispatch: Dispatch) -> None:
    await dispatch.wiring.prepare()
    known = await entries(dispatch)
    built_in = {name for name, one in known.items() if one.state == CatalogueState.CATALOGUE_STATE_BUILT_IN}
    assert len(known) - len(built_in) == 57
    assert {name for name, one in known.items() if one.imported} == built_in >= {"arithmetic", "code_word"}
    assert all(one.state != CatalogueState.CATALOGUE_STATE_UNSPECIFIED and one.conversion for one in known.values())
    assert all(not one.task.version and not one.task.sample_count and one.task.metric for one in known.values())
    one = known["truthful_qa_mc1"]
    assert (one.dataset, one.split, one.published_samples) == (
        "truthfulqa/truthful_qa",
        "multiple_choice/validation",
        817,
    )


async def test_records_are_imported_by_name_with_a_seed(dispatch: Dispatch) -> None:
    first = await by_name(dispatch, seed=1)
    assert first.created
    assert first.task.sample_count == 40
    assert not (await by_name(dispatch, seed=1)).created
    known = await entries(dispatch)
    assert known["truthful_qa_mc1"].imported == f"truthful_qa_mc1@{first.task.version}"
    request = ListSamplesRequest(task=known["truthful_qa_mc1"].imported)
    samples = (await call(dispatch.tasks.ListSamples, request, SECONDS)).samples
    letters = [sample.fields["answer"] for sample in samples]
    assert set(letters) == set("ABC")
    assert all(f"{sample.fields['answer']}. Flour" in sample.messages[0].content for sample in samples)
    assert (await by_name(dispatch, seed=2)).task.version != first.task.version


async def test_what_the_catalogue_does_not_take_is_refused_and_named(dispatch: Dispatch) -> None:
    with pytest.raises(NotFound, match="did you mean truthful_qa_mc1") as missing:
        await by_name(dispatch, catalogue="truthful_qa")
    assert missing.value.field == "header.catalogue"
    with pytest.raises(Invalid, match="has its card there") as twice:
        await by_name(dispatch, card_yaml="name: mine")
    assert twice.value.field == "header.card_yaml"
    with pytest.raises(Invalid, match=r"questions.jsonl, line 1: it has no column 'action1'") as other:
        await by_name(dispatch, catalogue="moral_choice")
    assert other.value.field == "data"
