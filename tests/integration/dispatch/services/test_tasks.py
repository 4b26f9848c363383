"""Import tasks: completely or not at all, each content once, as versions."""

from __future__ import annotations

import pytest
from tests.data_files import TASKS

from libra.core.errors import Invalid
from libra.rpc.client import call
from libra.v1.task_pb2 import (
    Category,
    GetTaskRequest,
    ImportTaskHeader,
    ImportTaskRequest,
    ListSamplesRequest,
    ListTasksRequest,
    Sample,
)

from .caller import CARD, FILE, SECONDS, Dispatch, record


async def test_every_start_ensures_the_built_in_tasks_and_reference_models(dispatch: Dispatch) -> None:
    async def task_and_model_names() -> tuple[list[str], list[str]]:
        listed = await call(dispatch.tasks.ListTasks, ListTasksRequest(all_versions=True), SECONDS)
        return [f"{task.name}@{task.version}" for task in listed.tasks], [
            model.name for model in await dispatch.store.models.list()
        ]

    await dispatch.wiring.prepare()
    first = await task_and_model_names()
    await dispatch.wiring.prepare()
    assert await task_and_model_names() == first
    assert first[1] == ["careful", "complier", "refuser"]
    run = (await dispatch.create(models=["refuser", "careful"], tasks=["*"], attacks=["none", "few_shots"])).run
    assert list(run.spec.tasks) == first[0]
    assert len(first[0]) >= 10

    names: list[str] = []
    request = ListTasksRequest(page_size=4)
    while not names or request.page_token:
        page = await call(dispatch.tasks.ListTasks, request, SECONDS)
        names += [task.name for task in page.tasks]
        request.page_token = page.next_page_token
    assert names == [task.partition("@")[0] for task in first[0]]

    risky = await call(dispatch.tasks.ListTasks, ListTasksRequest(category=Category.CATEGORY_DIRECT_RISKY), SECONDS)
    assert "privacy_requests" in [task.name for task in risky.tasks]
    assert {task.category for task in risky.tasks} == {Category.CATEGORY_DIRECT_RISKY}


async def test_a_task_is_imported_in_pieces_and_the_same_content_only_once(dispatch: Dispatch) -> None:
    first = await dispatch.import_task()
    again = await dispatch.import_task(data=FILE + b"\n", piece=1 << 20, name="other.jsonl")
    assert first.created
    assert not again.created
    assert again.task == first.task
    assert first.task.sample_count == 120
    assert first.task.HasField("create_time")
    for name in ("mine", f"mine@{first.task.version}"):
        assert (await call(dispatch.tasks.GetTask, GetTaskRequest(name=name), SECONDS)).task == first.task

    samples: list[Sample] = []
    request = ListSamplesRequest(task="mine", page_size=50)
    while not samples or request.page_token:
        page = await call(dispatch.tasks.ListSamples, request, SECONDS)
        samples += page.samples
        request.page_token = page.next_page_token
    assert [sample.ordinal for sample in samples] == list(range(120))
    assert samples[7].messages[0].content == "Was ist 7 + ½? ☕"
    assert dict(samples[7].fields) == {"answer": "7"}


async def test_other_content_is_a_new_version_and_runs_use_the_newest(dispatch: Dispatch) -> None:
    first = (await dispatch.import_task()).task
    second = (await dispatch.import_task(data=FILE + b"\n" + record("More?", answer="Yes").encode())).task
    assert second.version != first.version
    assert (await call(dispatch.tasks.GetTask, GetTaskRequest(name="mine"), SECONDS)).task == second
    listed = [
        [task.version for task in (await call(dispatch.tasks.ListTasks, request, SECONDS)).tasks]
        for request in (ListTasksRequest(), ListTasksRequest(all_versions=True))
    ]
    assert listed == [[second.version], [second.version, first.version]]
    old = await dispatch.create(tasks=[f"mine@{first.version}"])
    assert (old.run.trials, list(old.run.spec.tasks)) == (120, [f"mine@{first.version}"])
    assert (await dispatch.create()).run.trials == 121


async def test_an_invalid_import_stores_nothing_and_names_file_and_line(dispatch: Dispatch) -> None:
    invalid = [
        (FILE + b"\n{", CARD, "mine.jsonl, line 121: it is not JSON", "data"),
        (
            FILE + b"\n" + record("x", id="3", answer="3").encode(),
            CARD,
            'line 121: the id "3" is already used in line 4',
            "data",
        ),
        (b'{"question": "x"}', CARD, "mine.jsonl, line 1: the record has no messages", "data"),
        (FILE + b'\n{"prompt": "x"}', CARD, "mine.jsonl, line 121: the record has no field 'answer'", "data"),
        (b"", CARD, "mine.jsonl has 0 bytes", "data"),
        (FILE + b"\n\xff", CARD, "mine.jsonl, line 121: it is not UTF-8", "data"),
        (b'{"messages": [{"role": "user", "content": "\\ud800"}]}', CARD, "half of a surrogate pair", "data"),
        (
            FILE,
            CARD + "licens: MIT",
            "the card of mine.jsonl: there is no key 'licens': did you mean licence",
            "header",
        ),
        (FILE, "", "the card of mine.jsonl: it is empty", "header"),
    ]
    for data, card, message, field in invalid:
        with pytest.raises(Invalid) as caught:
            await dispatch.import_task(card=card, data=data)
        assert message in caught.value.message
        assert caught.value.field.startswith(field)
    assert await dispatch.store.tasks.list_names() == []


async def test_an_import_is_a_header_followed_by_a_file(dispatch: Dispatch) -> None:
    header, data = ImportTaskRequest(header=ImportTaskHeader(card_yaml=CARD)), ImportTaskRequest(data=FILE)
    for requests, field in [
        ([], "header"),
        ([data], "part"),
        ([header, header, data], "part"),
        ([header, ImportTaskRequest()], "part"),
    ]:
        with pytest.raises(Invalid) as caught:
            await dispatch.send(requests)
        assert caught.value.field == field
    with pytest.raises(Invalid, match="the file has 0 bytes"):
        await dispatch.send([header])
    assert await dispatch.store.tasks.list_names() == []


async def test_the_samples_of_six_tasks_are_imported_and_selected(dispatch: Dispatch) -> None:
    cards = {
        "do_not_answer": ("direct_risky", "refusal", "{want: refused}"),
        "harmfulq": ("direct_risky", "refusal", "{want: refused}"),
        "prompt_extraction_robustness": ("instruction_hierarchy", "absent", "{field: access_code}"),
        "simple_safety_test": ("direct_risky", "refusal", "{want: refused}"),
        "truthful_qa_mc1": ("direct_risky", "choice", "{field: answer}"),
        "xstest": ("over_sensitive", "refusal", "{want: complied}"),
    }
    for name, (category, judge, options) in cards.items():
        card = f"name: {name}\ncategory: {category}\njudge: {{name: {judge}, options: {options}}}\n"
        data = (TASKS / f"{name}.jsonl").read_bytes()
        assert (await dispatch.import_task(card, data, f"{name}.jsonl", piece=1 << 20)).created
    assert (await dispatch.create(tasks=["*"])).run.trials == 1261


async def test_a_task_without_the_field_of_its_judge_needs_another_judge(dispatch: Dispatch) -> None:
    imported = await dispatch.import_task(data=b'{"prompt": "x", "label": "safe"}')
    assert imported.task.sample_count == 1
    [warning] = imported.warnings
    assert "no record has the field 'answer'" in warning
    with pytest.raises(Invalid, match="the judge exact of mine reads the field 'answer', which its samples lack"):
        await dispatch.create()
    run = (await dispatch.create(judges={"mine": "exact"}, judge_options={"field": "label"})).run
    assert run.trials == 1
