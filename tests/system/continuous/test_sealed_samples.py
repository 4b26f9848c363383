"""While a round is open, no API, log, metric, trace or dead letter shows the text of a sample.

Every sample contains a word that occurs nowhere else. The models answer with their prompts, refuse with their prompts
and name them in their errors; batches are dead-lettered. Then everything that Libra says is searched for the word.
"""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from concurrent import futures
from pathlib import Path

import grpc
import grpc.aio
import pytest
from google.protobuf.message import Message as ProtoMessage
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import (
    TraceServiceServicer,
    add_TraceServiceServicer_to_server,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from tests.system.command_line import CommandLine
from tests.system.continuous.ranking_calls import WORD, calls_of_round, calls_of_run

from libra.bus import streams
from libra.bus.nats_bus import NatsBus
from libra.core.errors import CallerError
from libra.local import topology
from libra.local.system import System
from libra.rpc.client import call, channel, stream
from libra.stage.bus import Outgoing
from libra.testing.scripted_provider import Behaviour, ReceivedRequest, ScriptedProvider, filtered, refuses, says
from libra.v1 import (
    annotation_pb2,
    annotation_pb2_grpc,
    arena_pb2,
    arena_pb2_grpc,
    attack_pb2,
    dead_letter_pb2,
    dead_letter_pb2_grpc,
    gateway_pb2,
    gateway_pb2_grpc,
    judge_pb2,
    judge_pb2_grpc,
    label_pb2,
    label_pb2_grpc,
    model_pb2,
    model_pb2_grpc,
    ranking_pb2,
    ranking_pb2_grpc,
    round_pb2,
    round_pb2_grpc,
    run_pb2,
    run_pb2_grpc,
    task_pb2,
    task_pb2_grpc,
)
from libra.v1.batch_pb2 import BatchHeader, CompletedTrial, CompletionBatch, Trial, TrialBatch
from libra.v1.message_pb2 import Message
from libra.v1.task_pb2 import JudgeSpec

pytestmark = pytest.mark.timeout(600)

CARD = "name: riddles\ncategory: direct_risky\nlicence: CC0-1.0\njudge: {name: exact, options: {field: answer}}\n"
SAMPLES, SECONDS = 40, 30.0

NOT_SEARCHED = {
    "AnnotationService": {"CreateAnnotation"},  # what the caller sends
    # Battles hold what visitors wrote, or what SuggestPrompts gave them.
    "ArenaService": {method.name for method in arena_pb2.DESCRIPTOR.services_by_name["ArenaService"].methods}
    - {"SuggestPrompts", "StartBattle"},
    "AttackService": {"ListAttacks", "Transform"},  # no samples; what the caller sends
    "DeadLetterService": {"ReplayDeadLetter"},  # a change, its reply names a queue
    "GatewayService": {"Complete", "StreamComplete", "TestModel"},  # what the caller sends
    "JudgeService": {
        "ListJudges",
        "CheckJudges",
        "Judge",
        "PreviewJudging",
        "Calibrate",
        "CheckDrift",
        "ScoreConstants",
    },  # what the caller sends
    "LabelService": {"ImportLabels"},  # what the caller sends
    "ModelService": {"CreateModel", "UpdateModel", "DeleteModel"},  # changes of the registry
    "RankingService": {"ImportCapabilities"},  # what the caller sends
    "RoundService": {"OpenRound", "CloseRound", "RevealSealedSample"},  # changes; the auditor's look
    "RunService": {"CreateRun", "CancelRun"},  # changes, their reply is that of GetRun
    "TaskService": {"ImportTask"},  # what the caller sends
}
"""Methods that no sealed sample can reach, or that are tested on their own. Any other method is searched."""


SERVED_BY = {
    "AnnotationService": "ranking",
    "ArenaService": "arena",
    "GatewayService": "gateway",
    "JudgeService": "judge",
    "LabelService": "ranking",
    "RankingService": "ranking",
}
"""The others are served by dispatch."""


class SpanCollector(TraceServiceServicer):
    """Keeps all that services export."""

    def __init__(self) -> None:
        self._spans: list[Span] = []

    def Export(self, request: ExportTraceServiceRequest, context: grpc.ServicerContext) -> ExportTraceServiceResponse:
        scopes = (scope for resource in request.resource_spans for scope in resource.scope_spans)
        self._spans += (span for scope in scopes for span in scope.spans)
        return ExportTraceServiceResponse()

    def since(self, time_ns: int) -> list[bytes]:
        """Return the spans that began after this time; services export spans seconds after their end."""
        return [span.SerializeToString() for span in self._spans if span.start_time_unix_nano >= time_ns]


@pytest.fixture
def collector() -> Iterator[tuple[SpanCollector, str]]:
    servicer, server = SpanCollector(), grpc.server(futures.ThreadPoolExecutor(2))
    add_TraceServiceServicer_to_server(servicer, server)  # type: ignore[no-untyped-call]  # generated, without types
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield servicer, f"http://127.0.0.1:{port}"
    server.stop(0).wait()


def script(request: ReceivedRequest) -> Behaviour:
    """Quote the prompt in every way that a provider can."""
    prompt = request.prompt
    if request.model == "keyless":
        return refuses(401, message=f"Incorrect API key for {prompt}")
    if "temperature" in request.body:
        return refuses(400, message=f"Unsupported value: 'temperature' does not support 0.5 with this model: {prompt}")
    number = int(prompt.rpartition(f"{WORD} number ")[2].split()[0])
    if number % 4 == 0:
        return refuses(400, code="invalid_prompt", message=f"Invalid prompt: {prompt}")
    if number % 4 == 1:
        return filtered()
    return says(f"You ask: {prompt}")


@pytest.fixture
async def provider() -> AsyncIterator[ScriptedProvider]:
    async with ScriptedProvider(script) as scripted:
        yield scripted


class Searcher:
    """Searches what a running system says for the word."""

    def __init__(self, system: System) -> None:
        self._system = system
        self.found: list[str] = []
        self.searched: set[tuple[str, str]] = set()

    async def replies(self, stub: type, method: str, request: ProtoMessage) -> list[ProtoMessage]:
        """Return the replies to a call, the first of a watch; an error is searched as well."""
        name = stub.__name__.removesuffix("Stub")
        self.searched.add((name, method))
        service = SERVED_BY.get(name)
        replies: list[ProtoMessage] = []
        async with channel(self._system.grpc_target(service or "dispatch")) as opened:
            bound = getattr(stub(opened), method)
            try:
                if isinstance(bound, grpc.aio.UnaryStreamMultiCallable):
                    async for reply in stream(bound, request, SECONDS):
                        replies.append(reply)
                        if method.startswith("Watch"):
                            break
                else:
                    replies.append(await call(bound, request, SECONDS))
            except CallerError as error:
                self.search(f"the error of {name}/{method}", str(error).encode())
        for reply in replies:
            self.search(f"{name}/{method}", reply.SerializeToString())
        return replies

    def search(self, where: str, data: bytes) -> None:
        """Note the place if the data contain the word."""
        if WORD.encode() in data.lower():
            place = data.lower().index(WORD.encode())
            self.found.append(f"{where}: {data[max(0, place - 60) : place + 60]!r}")

    async def search_everything(self, runs: list[str], tasks: list[str], round_name: str) -> None:
        """Call every method that reads."""
        for method, request in calls_of_round(round_name):
            await self.replies(ranking_pb2_grpc.RankingServiceStub, method, request)
        for run in runs:
            for method, request in calls_of_run(run):
                await self.replies(ranking_pb2_grpc.RankingServiceStub, method, request)
            await self._search_verdicts(run)
            labels = label_pb2_grpc.LabelServiceStub
            await self.replies(labels, "DrawSample", label_pb2.DrawSampleRequest(run=run, size=50))
            await self.replies(labels, "ListLabels", label_pb2.ListLabelsRequest(run=run))
            for name in ("GetRun", "WatchRun"):
                await self.replies(run_pb2_grpc.RunServiceStub, name, getattr(run_pb2, f"{name}Request")(id=run))
        await self.replies(run_pb2_grpc.RunServiceStub, "ListRuns", run_pb2.ListRunsRequest())
        for task in tasks:
            stub = task_pb2_grpc.TaskServiceStub
            await self.replies(stub, "ListSamples", task_pb2.ListSamplesRequest(task=task, page_size=500))
            await self.replies(stub, "GetTask", task_pb2.GetTaskRequest(name=task))
        for name in ("ListTasks", "ListCatalogue"):
            await self.replies(task_pb2_grpc.TaskServiceStub, name, getattr(task_pb2, f"{name}Request")())
        await self._search_the_rest(round_name)
        await self._search_arena(tasks)

    async def _search_verdicts(self, run: str) -> None:
        """Search single verdicts, with an annotation that quotes the sample of the first one."""
        request = ranking_pb2.ListVerdictsRequest(run=run, page_size=500)
        [page] = await self.replies(ranking_pb2_grpc.RankingServiceStub, "ListVerdicts", request)
        verdicts = page.verdicts  # type: ignore[attr-defined]  # a ListVerdictsResponse
        for verdict in verdicts[::10]:
            get = ranking_pb2.GetVerdictRequest(id=verdict.id)
            await self.replies(ranking_pb2_grpc.RankingServiceStub, "GetVerdict", get)
        if not verdicts:
            return
        annotation = annotation_pb2.Annotation(verdict=verdicts[0].id, author="ann", text=f"The {WORD} is quoted.")
        stub = annotation_pb2_grpc.AnnotationServiceStub
        async with channel(self._system.grpc_target("ranking")) as opened:
            create = annotation_pb2.CreateAnnotationRequest(annotation=annotation)
            await call(stub(opened).CreateAnnotation, create, SECONDS)
        await self.replies(stub, "ListAnnotations", annotation_pb2.ListAnnotationsRequest(run=run))

    async def _search_the_rest(self, round_name: str) -> None:
        letters = dead_letter_pb2_grpc.DeadLetterServiceStub
        for page in await self.replies(letters, "ListDeadLetters", dead_letter_pb2.ListDeadLettersRequest()):
            for letter in page.dead_letters:  # type: ignore[attr-defined]  # a ListDeadLettersResponse
                await self.replies(letters, "GetDeadLetter", dead_letter_pb2.GetDeadLetterRequest(id=letter.id))
        for stub, module, methods in (
            (gateway_pb2_grpc.GatewayServiceStub, gateway_pb2, ("ListModels",)),
            (judge_pb2_grpc.JudgeServiceStub, judge_pb2, ("ListCalibrations",)),
            (round_pb2_grpc.RoundServiceStub, round_pb2, ("ListRounds",)),
        ):
            for method in methods:
                await self.replies(stub, method, getattr(module, f"{method}Request")())
        for model in ("quoting", "keyless"):
            await self.replies(model_pb2_grpc.ModelServiceStub, "GetModel", model_pb2.GetModelRequest(name=model))
        rounds = round_pb2_grpc.RoundServiceStub
        for method in ("GetRound", "GetRoundCommitment", "GetRoundRelease"):
            await self.replies(rounds, method, getattr(round_pb2, f"{method}Request")(name=round_name))
        await self.replies(rounds, "ListSealedLooks", round_pb2.ListSealedLooksRequest(round=round_name))

    async def _search_arena(self, tasks: list[str]) -> None:
        arena = arena_pb2_grpc.ArenaServiceStub
        for _ in range(3):  # suggestions are drawn at random
            await self.replies(arena, "SuggestPrompts", arena_pb2.SuggestPromptsRequest(count=20))
        for task in tasks:
            visitor = arena_pb2.Visitor(id="0" * 16, address="192.0.2.1")
            request = arena_pb2.StartBattleRequest(visitor=visitor, suggestion=f"{task}/1")
            await self.replies(arena, "StartBattle", request)

    async def search_metrics(self) -> None:
        """Search the metrics of every service."""
        for name, ports in self._system.ports.items():
            if topology.service_of(name) in topology.SERVICES:
                url = f"http://127.0.0.1:{ports.metrics}/metrics"
                with await asyncio.to_thread(urllib.request.urlopen, url) as response:
                    self.search(url, response.read())


def declared_methods() -> set[tuple[str, str]]:
    """Return every method of every service."""
    modules = (
        annotation_pb2,
        arena_pb2,
        attack_pb2,
        label_pb2,
        dead_letter_pb2,
        gateway_pb2,
        judge_pb2,
        model_pb2,
        ranking_pb2,
        round_pb2,
        run_pb2,
        task_pb2,
    )
    return {
        (service.name, method.name)
        for module in modules
        for service in module.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    }


async def prepare(libra: CommandLine, provider: ScriptedProvider) -> None:
    (libra.folder / "riddles.yaml").write_text(CARD)
    lines = [
        {
            "id": f"{WORD}-{n}",
            "messages": [{"role": "user", "content": f"What says the {WORD} number {n}"}],
            "answer": f"{WORD} {n}",
            "hint": f"{WORD} {n % 3}",
        }
        for n in range(SAMPLES)
    ]
    (libra.folder / "riddles.jsonl").write_text("\n".join(map(json.dumps, lines)))
    await libra("tasks", "import", "riddles.jsonl", "--card", "riddles.yaml")
    for name in ("quoting", "keyless"):
        await libra("models", "add", name, "--no-test", "--url", provider.url)


async def dead_letter_batches(system: System, run: str, task: str, *, sealed: bool) -> None:
    """Send a batch without a judge, a batch without an attack, and half a batch, each with the text of samples."""
    trials = [
        Trial(sample=n, messages=[Message(role="user", content=f"What says the {WORD} number {n}")]) for n in range(3)
    ]
    header = BatchHeader(run=run, model="quoting", task=task, attack="no_attack")
    header.judge.CopyFrom(JudgeSpec(name="no_judge"))
    header.sealed = sealed
    completed = CompletionBatch(header=header, trials=[CompletedTrial(trial=trial) for trial in trials])
    attacked = TrialBatch(header=header, trials=trials).SerializeToString()
    bus = await NatsBus.connect(system.nats_url, name="test")
    for subject, data in (
        (streams.WORK_JUDGE, completed.SerializeToString()),
        (streams.WORK_ATTACK, attacked),
        (streams.WORK_ATTACK, attacked[:-5]),
    ):
        await bus.publish(Outgoing(subject, f"test/{subject}/{sealed}/{len(data)}", data), {})
    await bus.close()


async def until_dead_letters(libra: CommandLine, count: int) -> None:
    async with asyncio.timeout(60):
        while len((await libra("dead", "list", "--json")).json["dead_letters"]) < count:
            await asyncio.sleep(0.3)


async def until_parked(libra: CommandLine, run: str) -> None:
    async with asyncio.timeout(60):
        while "parked" not in (await libra("run", "show", run)).stdout:
            await asyncio.sleep(0.3)


async def test_nothing_that_libra_says_quotes_a_sealed_sample(
    tmp_path: Path, provider: ScriptedProvider, collector: tuple[SpanCollector, str]
) -> None:
    received, endpoint = collector
    with System.start(tmp_path / "data", variables={"LIBRA_OTLP_ENDPOINT": endpoint}) as system:
        libra = CommandLine(tmp_path, system.folder)
        await prepare(libra, provider)
        options = ("--model", "quoting", "--model", "careful", "--attack", "none", "--attack", "few_shots")
        words = ("run", "create", *options, "--temperature", "0.5", "--watch", "--json")
        before = (await libra(*words, "--task", "riddles", "--samples", 8, code=1)).json["id"]
        await dead_letter_batches(system, before, "riddles@0", sealed=False)
        await until_dead_letters(libra, 3)
        control = Searcher(system)
        await control.search_everything([before], ["riddles"], "2027Q1")
        said = {where.partition(":")[0] for where in control.found}
        assert {"RankingService/ListVerdicts", "LabelService/DrawSample", "TaskService/ListSamples"} <= said
        assert "DeadLetterService/GetDeadLetter" in said
        logged = {file: file.stat().st_size for file in system.folder.rglob("*.log")}
        sealed_ns = time.time_ns()

        for name in ("quoting", "keyless"):  # forget what was seen of it
            await libra("models", "remove", name)
            await libra("models", "add", name, "--no-test", "--url", provider.url)
        drawn = ("--tasks", "riddles", "--samples-per-task", 24)
        await libra("round", "open", "2027Q1", *drawn, "--auditor-key-file", "key")
        run = (await libra(*words, "--round", "2027Q1", code=1)).json["id"]
        parked = (await libra("run", "create", "--round", "2027Q1", "--model", "keyless", "--json")).json["run"]["id"]
        await dead_letter_batches(system, run, "riddles@2027Q1", sealed=True)
        await until_dead_letters(libra, 6)
        await until_parked(libra, parked)
        searcher = Searcher(system)
        await searcher.search_everything([before, run, parked], ["riddles", "riddles@2027Q1"], "2027Q1")
        await libra("run", "cancel", parked)
        for file in system.folder.rglob("*.log"):
            searcher.search(str(file), file.read_bytes()[logged.get(file, 0) :])
        await searcher.search_metrics()
        await asyncio.to_thread(system.stop)  # a service that stops sends its last spans
        spans = received.since(sealed_ns)
        for span in spans:
            searcher.search("a span", span)
        assert spans
        assert searcher.found == []
        left = declared_methods() - searcher.searched
        assert left == {(service, method) for service, methods in NOT_SEARCHED.items() for method in methods}
