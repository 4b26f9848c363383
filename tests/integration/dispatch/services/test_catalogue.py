"""List the catalogue, and import records of its tasks by name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from libra.core.errors import Invalid, NotFound
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
    response = await call(dispatch.tasks.ListCatalogue, ListCatalogueRequest(), SECONDS)
    names = [entry.task.name for entry in response.entries]
    assert names == sorted(names)
    return {entry.task.name: entry for entry in response.entries}


async def import_by_name(dispatch: Dispatch, **header: Any) -> ImportTaskResponse:
    fields = {"catalogue": "truthful_qa_mc1", "file_name": "questions.jsonl", **header}
    return await dispatch.send(
        [
            ImportTaskRequest(header=ImportTaskHeader(**fields)),
            ImportTaskRequest(data=FILE[:99]),
            ImportTaskRequest(data=FILE[99:]),
        ]
    )


async def test_every_task_is_listed_with_its_state(dispatch: Dispatch) -> None:
    await dispatch.wiring.prepare()
    listed = await entries(dispatch)
    built_in = {name for name, entry in listed.items() if entry.state == CatalogueState.CATALOGUE_STATE_BUILT_IN}
    # The 57 published tasks, and the two parts of XSTest.
    assert len(listed) - len(built_in) == 59
    assert {name for name, entry in listed.items() if entry.imported} == built_in >= {"arithmetic", "code_word"}
    assert all(
        entry.state != CatalogueState.CATALOGUE_STATE_UNSPECIFIED and entry.conversion for entry in listed.values()
    )
    assert all(
        not entry.task.version and not entry.task.sample_count and entry.task.metric for entry in listed.values()
    )
    entry = listed["truthful_qa_mc1"]
    assert (entry.dataset, entry.split, entry.published_samples) == (
        "truthfulqa/truthful_qa",
        "multiple_choice/validation",
        817,
    )


async def test_records_are_imported_by_name_with_a_seed(dispatch: Dispatch) -> None:
    first = await import_by_name(dispatch, seed=1)
    assert first.created
    assert first.task.sample_count == 40
    assert not (await import_by_name(dispatch, seed=1)).created
    listed = await entries(dispatch)
    assert listed["truthful_qa_mc1"].imported == f"truthful_qa_mc1@{first.task.version}"
    request = ListSamplesRequest(task=listed["truthful_qa_mc1"].imported)
    samples = (await call(dispatch.tasks.ListSamples, request, SECONDS)).samples
    letters = [sample.fields["answer"] for sample in samples]
    assert set(letters) == set("ABC")
    assert all(f"{sample.fields['answer']}. Flour" in sample.messages[0].content for sample in samples)
    assert (await import_by_name(dispatch, seed=2)).task.version != first.task.version


async def test_an_import_error_names_the_field(dispatch: Dispatch) -> None:
    with pytest.raises(NotFound, match="did you mean truthful_qa_mc1") as missing:
        await import_by_name(dispatch, catalogue="truthful_qa")
    assert missing.value.field == "header.catalogue"
    with pytest.raises(Invalid, match="has its own card") as twice:
        await import_by_name(dispatch, card_yaml="name: mine")
    assert twice.value.field == "header.card_yaml"
    with pytest.raises(Invalid, match=r"questions.jsonl, line 1: it has no column 'action1'") as other:
        await import_by_name(dispatch, catalogue="moral_choice")
    assert other.value.field == "data"
