"""What dispatch answers over gRPC: tasks, models, runs and dead letters, with the catalogues of the real services."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from prometheus_client import CollectorRegistry

from libra.attack.service import AttackService
from libra.bus.connection import NatsBus
from libra.bus.streams import WORK_ATTACK, dead
from libra.dispatch.__main__ import wire
from libra.dispatch.settings import Settings
from libra.errors import Conflict, Invalid, NotFound, NotNow, Unavailable
from libra.judge.kind import Reply
from libra.judge.service import JudgeService
from libra.process import Parts, Wiring
from libra.rpc.client import call, channel, stream
from libra.rpc.server import Server
from libra.stage.bus import Outgoing
from libra.store.client import Store
from libra.telemetry.metrics import Metrics
from libra.v1.attack_pb2_grpc import add_AttackServiceServicer_to_server
from libra.v1.batch_pb2 import BatchHeader, Trial, TrialBatch, VerdictBatch
from libra.v1.completion_pb2 import GenerationParameters
from libra.v1.dead_letter_pb2 import GetDeadLetterRequest, ListDeadLettersRequest, ReplayDeadLetterRequest
from libra.v1.dead_letter_pb2_grpc import DeadLetterServiceStub
from libra.v1.judge_pb2_grpc import add_JudgeServiceServicer_to_server
from libra.v1.message_pb2 import Message
from libra.v1.model_pb2 import CreateModelRequest, DeleteModelRequest, GetModelRequest, Model, Provider
from libra.v1.model_pb2_grpc import ModelServiceStub
from libra.v1.run_pb2 import (
    CancelRunRequest,
    CreateRunRequest,
    GetRunRequest,
    ListRunsRequest,
    Run,
    RunSpec,
    RunState,
    WatchRunRequest,
)
from libra.v1.run_pb2_grpc import RunServiceStub
from libra.v1.task_pb2 import (
    Category,
    GetTaskRequest,
    ImportTaskHeader,
    ImportTaskRequest,
    ListSamplesRequest,
    ListTasksRequest,
)
from libra.v1.task_pb2_grpc import TaskServiceStub
from libra.v1.verdict_pb2 import Outcome, Verdict

SECONDS = 20.0
SHARED = Path(__file__).parents[3] / "shared" / "data" / "tasks"
CARD = "name: mine\ncategory: capability\njudge: {name: exact, options: {field: answer}}\n"


def record(content: str, **fields: object) -> str:
    return json.dumps({"messages": [{"role": "user", "content": content}], **fields}, ensure_ascii=False)


FILE = "\n".join(record(f"Was ist {n} + ½? ☕", answer=str(n)) for n in range(120)).encode()


@dataclass
class Dispatch:
    """The service as its callers see it, and what is behind it."""

    store: Store
    bus: NatsBus
    tasks: TaskServiceStub
    models: ModelServiceStub
    runs: RunServiceStub
    letters: DeadLetterServiceStub
    wiring: Wiring

    async def import_task(self, card: str = CARD, data: bytes = FILE, name: str = "mine.jsonl", piece: int = 97) -> Any:
        header = ImportTaskRequest(header=ImportTaskHeader(card_yaml=card, file_name=name))
        pieces = [ImportTaskRequest(data=data[start : start + piece]) for start in range(0, len(data), piece)]
        return await self.send([header, *pieces])

    async def send(self, requests: Sequence[ImportTaskRequest]) -> Any:
        return await call(self.tasks.ImportTask, iter(requests), SECONDS)

    async def create(self, request_id: str = "", **spec: Any) -> Any:
        whole = {"models": ["refuser"], "tasks": ["mine"], **spec}
        return await call(self.runs.CreateRun, CreateRunRequest(spec=RunSpec(**whole), request_id=request_id), SECONDS)

    async def run(self, run: str) -> Run:
        return (await call(self.runs.GetRun, GetRunRequest(id=run), SECONDS)).run


async def nobody(model: str, conversations: object, *, json_schema: str, epoch: int) -> list[Reply]:
    raise AssertionError("a catalogue asks no model")


@dataclass
class Catalogues:
    """The attack and the judge service, on one port."""

    server: Server
    channel: grpc.aio.Channel


@pytest.fixture
async def catalogues() -> AsyncIterator[Catalogues]:
    served = [
        (add_AttackServiceServicer_to_server, AttackService(), "libra.v1.AttackService"),
        (add_JudgeServiceServicer_to_server, JudgeService(nobody), "libra.v1.JudgeService"),
    ]
    server = Server(served, Metrics(CollectorRegistry()))
    port = await server.start("127.0.0.1:0")
    await server.set_ready(ready=True)
    async with channel(f"127.0.0.1:{port}") as opened:
        yield Catalogues(server, opened)
    await server.stop(0)


@pytest.fixture
async def dispatch(store: Store, nats_url: str, catalogues: Catalogues) -> AsyncIterator[Dispatch]:
    """Dispatch without the built-in tasks; a run that is created is led by nobody."""
    bus = await NatsBus.connect(nats_url, name="test")
    await bus.ensure()
    metrics = Metrics(CollectorRegistry())
    wiring = wire(Parts(store=store, bus=bus, metrics=metrics, channel=lambda _: catalogues.channel), Settings())
    for name in ("refuser", "complier"):
        await store.models.add(Model(name=name, provider=Provider.PROVIDER_SCRIPTED, remote_model=name))
    server = Server(wiring.services, metrics)
    port = await server.start("127.0.0.1:0")
    await server.set_ready(ready=True)
    async with channel(f"127.0.0.1:{port}") as opened:
        stubs = [TaskServiceStub, ModelServiceStub, RunServiceStub, DeadLetterServiceStub]
        yield Dispatch(store, bus, *(stub(opened) for stub in stubs), wiring)
    await server.stop(0)
    await bus.close()


# tasks


async def test_it_starts_with_tasks_and_reference_models_however_often_it_starts(dispatch: Dispatch) -> None:
    async def there() -> tuple[list[str], list[str]]:
        listed = await call(dispatch.tasks.ListTasks, ListTasksRequest(all_versions=True), SECONDS)
        return [f"{task.name}@{task.version}" for task in listed.tasks], [
            model.name for model in await dispatch.store.models.list()
        ]

    await dispatch.wiring.prepare()
    first = await there()
    await dispatch.wiring.prepare()
    assert await there() == first
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


async def test_a_task_is_imported_in_pieces_and_the_same_content_once(dispatch: Dispatch) -> None:
    first = await dispatch.import_task()
    again = await dispatch.import_task(data=FILE + b"\n", piece=1 << 20, name="other.jsonl")
    assert first.created
    assert not again.created
    assert again.task == first.task
    assert first.task.sample_count == 120
    assert first.task.HasField("create_time")
    for name in ("mine", f"mine@{first.task.version}"):
        assert (await call(dispatch.tasks.GetTask, GetTaskRequest(name=name), SECONDS)).task == first.task

    samples = []
    request = ListSamplesRequest(task="mine", page_size=50)
    while not samples or request.page_token:
        page = await call(dispatch.tasks.ListSamples, request, SECONDS)
        samples += page.samples
        request.page_token = page.next_page_token
    assert [sample.ordinal for sample in samples] == list(range(120))
    assert samples[7].messages[0].content == "Was ist 7 + ½? ☕"
    assert dict(samples[7].fields) == {"answer": "7"}


async def test_another_content_is_another_version_and_the_newest_counts(dispatch: Dispatch) -> None:
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


async def test_an_import_fails_whole_naming_file_and_line(dispatch: Dispatch) -> None:
    bad = [
        (FILE + b"\n{", CARD, "mine.jsonl, line 121: it is not JSON", "data"),
        (FILE + b"\n" + record("x", id="3").encode(), CARD, 'line 121: the id "3" is that of line 4', "data"),
        (b'{"prompt": "x"}', CARD, "mine.jsonl, line 1: the record has no messages", "data"),
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
    for data, card, words, field in bad:
        with pytest.raises(Invalid) as caught:
            await dispatch.import_task(card=card, data=data)
        assert words in caught.value.message
        assert caught.value.field.startswith(field)
    assert await dispatch.store.tasks.names() == []


async def test_an_import_is_a_header_and_then_a_file(dispatch: Dispatch) -> None:
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
    assert await dispatch.store.tasks.names() == []


async def test_what_is_not_there_is_not_found_with_the_nearest_names(dispatch: Dispatch) -> None:
    await dispatch.import_task()
    for method, request, words, field in [
        (dispatch.tasks.GetTask, GetTaskRequest(name="mime"), "there is no task 'mime': did you mean mine", "name"),
        (dispatch.tasks.GetTask, GetTaskRequest(name="mine@0"), "did you mean mine", "name"),
        (dispatch.tasks.ListSamples, ListSamplesRequest(task="min"), "did you mean mine", "task"),
        (dispatch.models.GetModel, GetModelRequest(name="refusor"), "did you mean refuser", "name"),
        (dispatch.models.DeleteModel, DeleteModelRequest(name="refusor"), "did you mean refuser", "name"),
        (dispatch.runs.GetRun, GetRunRequest(id="x"), "there is no run 'x'", "id"),
        (dispatch.runs.CancelRun, CancelRunRequest(id=""), "there is no run ''", "id"),
        (dispatch.letters.GetDeadLetter, GetDeadLetterRequest(id=0), "there is no dead letter 0", "id"),
        (dispatch.letters.ReplayDeadLetter, ReplayDeadLetterRequest(id=-4), "there is no dead letter -4", "id"),
    ]:
        with pytest.raises(NotFound) as caught:
            await call(method, request, SECONDS)
        assert words in caught.value.message
        assert caught.value.field == field


async def test_a_page_that_cannot_be_is_refused(dispatch: Dispatch) -> None:
    await dispatch.import_task()
    token = (await call(dispatch.tasks.ListSamples, ListSamplesRequest(task="mine"), SECONDS)).next_page_token
    for method, request, field in [
        (dispatch.tasks.ListTasks, ListTasksRequest(page_size=-1), "page_size"),
        (dispatch.tasks.ListTasks, ListTasksRequest(page_token=token), "page_token"),
        (dispatch.tasks.ListSamples, ListSamplesRequest(task="mine", page_token="x"), "page_token"),
        (dispatch.runs.ListRuns, ListRunsRequest(page_token=token), "page_token"),
        (dispatch.letters.ListDeadLetters, ListDeadLettersRequest(page_token=token), "page_token"),
        (dispatch.letters.ListDeadLetters, ListDeadLettersRequest(stage="gatway"), "stage"),
    ]:
        with pytest.raises(Invalid) as caught:
            await call(method, request, SECONDS)
        assert caught.value.field == field


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real samples are not beside the repository")
async def test_the_real_samples_are_imported_and_selected(dispatch: Dispatch) -> None:
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
        data = (SHARED / f"{name}.jsonl").read_bytes()
        assert (await dispatch.import_task(card, data, f"{name}.jsonl", piece=1 << 20)).created
    assert (await dispatch.create(tasks=["*"])).run.trials == 1500


# models


async def test_a_model_is_registered_once_and_forgotten_when_no_run_asks_it(dispatch: Dispatch) -> None:
    await dispatch.import_task()
    model = Model(name="mine", provider=Provider.PROVIDER_OPENAI, base_url="http://localhost:1/v1", api_key_env="KEY")
    first = (await call(dispatch.models.CreateModel, CreateModelRequest(model=model), SECONDS)).model
    assert (await call(dispatch.models.CreateModel, CreateModelRequest(model=model), SECONDS)).model == first
    changed = Model(name="mine", provider=Provider.PROVIDER_OPENAI, base_url="http://localhost:2/v1")
    with pytest.raises(Conflict, match="another content"):
        await call(dispatch.models.CreateModel, CreateModelRequest(model=changed), SECONDS)
    keyed = Model(name="m", provider=Provider.PROVIDER_OPENAI, base_url="http://localhost:2/v1", api_key_env="sk-1")
    with pytest.raises(Invalid, match="never a key itself"):
        await call(dispatch.models.CreateModel, CreateModelRequest(model=keyed), SECONDS)
    run = (await dispatch.create(models=["mine"])).run
    with pytest.raises(NotNow, match=run.id):
        await call(dispatch.models.DeleteModel, DeleteModelRequest(name="mine"), SECONDS)
    await call(dispatch.runs.CancelRun, CancelRunRequest(id=run.id), SECONDS)
    await call(dispatch.models.DeleteModel, DeleteModelRequest(name="mine"), SECONDS)
    with pytest.raises(NotFound):
        await call(dispatch.models.GetModel, GetModelRequest(name="mine"), SECONDS)


# runs


async def test_a_run_is_spelled_out_and_listed_the_newest_first(dispatch: Dispatch) -> None:
    task = (await dispatch.import_task()).task
    created = await dispatch.create(
        models=["refuser", "complier", "refuser"], attacks=["none", "few_shots"], samples_per_task=10, epochs=2, seed=7
    )
    run = created.run
    assert (run.trials, run.state, run.revision) == (40, RunState.RUN_STATE_RUNNING, 1)
    assert list(run.spec.models) == ["refuser", "complier"]
    assert list(run.spec.tasks) == [f"mine@{task.version}"]
    assert "few_shots is not put to mine" in created.warnings[0]
    assert await dispatch.run(run.id) == run
    others = [(await dispatch.create(name=f"run {n}")).run.id for n in range(4)]
    ids: list[str] = []
    request = ListRunsRequest(page_size=2)
    while not ids or request.page_token:
        page = await call(dispatch.runs.ListRuns, request, SECONDS)
        ids += [listed.id for listed in page.runs]
        request.page_token = page.next_page_token
    assert ids == [*reversed(others), run.id]


async def test_a_spec_with_a_fault_creates_nothing_and_names_the_field(dispatch: Dispatch) -> None:
    await dispatch.import_task()
    await dispatch.import_task(CARD.replace("mine", "asked").replace("exact", "model").replace("field", "rubric"))
    bad: list[tuple[dict[str, Any], str, str]] = [
        ({"models": []}, "spec.models", "there are: complier, refuser"),
        ({"models": ["refusr"]}, "spec.models[0]", "did you mean refuser"),
        ({"tasks": []}, "spec.tasks", "at least one task"),
        ({"tasks": ["mine", "mime"]}, "spec.tasks[1]", "did you mean mine"),
        ({"tasks": ["mine@000000000000"]}, "spec.tasks[0]", "did you mean mine"),
        ({"tasks": ["over_sensitiv"]}, "spec.tasks[0]", "did you mean over_sensitive"),
        ({"tasks": ["over_sensitive"]}, "spec.tasks", "selects no task"),
        ({"attacks": ["few_shot"]}, "spec.attacks[0]", "did you mean few_shots"),
        ({"attacks": ["few_shots"]}, "spec.attacks", "no task is left"),
        ({"samples_per_task": -3}, "spec.samples_per_task", "-3"),
        ({"epochs": -1}, "spec.epochs", "-1"),
        ({"judges": {"mine": "exakt"}}, "spec.judges[mine]", "did you mean exact"),
        ({"judges": {"mime": "exact"}}, "spec.judges[mime]", "did you mean mine"),
        ({"judges": {"mine": "refusal"}}, "spec.judges[mine]", "needs the option 'want'"),
        ({"tasks": ["asked"]}, "spec.judges[asked]", "judge_model"),
        ({"judge_model": "compliar"}, "spec.judge_model", "did you mean complier"),
        ({"parameters": GenerationParameters(temperature=3)}, "spec.parameters.temperature", "from 0 to 2"),
        ({"parameters": GenerationParameters(max_tokens=-1)}, "spec.parameters.max_tokens", "-1"),
    ]
    for changes, field, words in bad:
        with pytest.raises(Invalid) as caught:
            await dispatch.create(**changes)
        assert caught.value.field == field, changes
        assert words in caught.value.message, changes
    with pytest.raises(Invalid) as caught:
        await dispatch.create(request_id="r" * 65)
    assert caught.value.field == "request_id"
    assert (await call(dispatch.runs.ListRuns, ListRunsRequest(), SECONDS)).runs == []


async def test_a_repeat_of_a_request_returns_the_first_run(dispatch: Dispatch) -> None:
    await dispatch.import_task()
    first, second = await asyncio.gather(*(dispatch.create(request_id="once") for _ in range(2)))
    assert first.run == second.run
    assert (await dispatch.create(request_id="once", epochs=3)).run == first.run
    assert (await dispatch.create(request_id="once", models=["forgotten-since"])).run == first.run
    assert (await dispatch.create(request_id="twice")).run.id != first.run.id
    assert len((await call(dispatch.runs.ListRuns, ListRunsRequest(), SECONDS)).runs) == 2


async def test_a_run_is_cancelled_once(dispatch: Dispatch) -> None:
    await dispatch.import_task()
    run = (await dispatch.create()).run
    cancelled = (await call(dispatch.runs.CancelRun, CancelRunRequest(id=run.id), SECONDS)).run
    assert (cancelled.state, cancelled.revision) == (RunState.RUN_STATE_CANCELLED, 2)
    assert cancelled.HasField("end_time")
    assert (await call(dispatch.runs.CancelRun, CancelRunRequest(id=run.id), SECONDS)).run == cancelled


async def test_a_watch_tells_each_change_and_ends_with_the_run(dispatch: Dispatch) -> None:
    task = (await dispatch.import_task()).task
    run = (await dispatch.create(models=["refuser", "complier"])).run
    watch = stream(dispatch.runs.WatchRun, WatchRunRequest(id=run.id), SECONDS)
    assert (await anext(watch)).run == run
    head = BatchHeader(
        run=run.id, model="complier", task=f"mine@{task.version}", attack="none", category=Category.CATEGORY_CAPABILITY
    )
    outcomes = [Outcome.OUTCOME_SCORED, Outcome.OUTCOME_SCORED, Outcome.OUTCOME_FAILED]
    verdicts = [Verdict(sample=n, outcome=outcome) for n, outcome in enumerate(outcomes)]
    await dispatch.store.verdicts.write([VerdictBatch(header=head, verdicts=verdicts)])
    moved = (await anext(watch)).run
    assert (moved.counts.scored, moved.counts.failed, moved.revision) == (2, 1, 4)
    await call(dispatch.runs.CancelRun, CancelRunRequest(id=run.id), SECONDS)
    rest = [answer.run async for answer in watch]
    assert [(last.state, last.revision) for last in rest] == [(RunState.RUN_STATE_CANCELLED, 5)]

    later = [answer.run async for answer in stream(dispatch.runs.WatchRun, WatchRunRequest(id=run.id), SECONDS)]
    resumed = WatchRunRequest(id=run.id, after_revision=5)
    assert later == rest == [answer.run async for answer in stream(dispatch.runs.WatchRun, resumed, SECONDS)]
    with pytest.raises(NotFound):
        await anext(stream(dispatch.runs.WatchRun, WatchRunRequest(id="x"), SECONDS))


async def test_without_the_catalogues_no_run_is_created(dispatch: Dispatch, catalogues: Catalogues) -> None:
    await dispatch.import_task()
    await catalogues.server.stop(0)
    with pytest.raises(Unavailable):
        await dispatch.create()
    assert (await call(dispatch.runs.ListRuns, ListRunsRequest(), SECONDS)).runs == []


# dead letters


async def test_dead_letters_are_read_and_sent_again(dispatch: Dispatch) -> None:
    batch = TrialBatch(header=BatchHeader(run="r"), trials=[Trial(messages=[Message(role="user", content="Hi ☕")])])
    headers = {"Libra-Reason": "for a test", "Libra-Subject": WORK_ATTACK, "Libra-Key": "k", "Libra-Attempts": "5"}
    for n, data in enumerate([batch.SerializeToString(), b"\xff\xff", b"third"]):
        await dispatch.bus.publish(Outgoing(dead("attack"), f"dead/{n}", data), headers)
    first = await call(dispatch.letters.ListDeadLetters, ListDeadLettersRequest(page_size=2), SECONDS)
    request = ListDeadLettersRequest(page_size=2, page_token=first.next_page_token)
    rest = await call(dispatch.letters.ListDeadLetters, request, SECONDS)
    letters = [*first.dead_letters, *rest.dead_letters]
    assert [letter.size_bytes for letter in letters] == [len(batch.SerializeToString()), 2, 5]
    assert rest.next_page_token == ""
    assert all((one.stage, one.reason, one.attempts) == ("attack", "for a test", 5) for one in letters)
    other = await call(dispatch.letters.ListDeadLetters, ListDeadLettersRequest(stage="judge"), SECONDS)
    assert other.dead_letters == []

    whole = [
        (await call(dispatch.letters.GetDeadLetter, GetDeadLetterRequest(id=letter.id), SECONDS)).dead_letter
        for letter in letters
    ]
    assert json.loads(whole[0].json)["header"] == {"run": "r"}
    assert (whole[1].data, whole[1].json) == (b"\xff\xff", "")

    replayed = await call(dispatch.letters.ReplayDeadLetter, ReplayDeadLetterRequest(id=letters[0].id), SECONDS)
    assert replayed.subject == WORK_ATTACK
    (delivery,) = await dispatch.bus.pull("attack", 1)
    assert TrialBatch.FromString(delivery.data) == batch
    await delivery.ack()
    left = await call(dispatch.letters.ListDeadLetters, ListDeadLettersRequest(), SECONDS)
    assert [letter.id for letter in left.dead_letters] == [letter.id for letter in letters[1:]]
