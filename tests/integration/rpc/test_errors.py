"""A caller gets the error that a service raises, with its field and without internal details."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc.aio
import pytest
import structlog
from google.rpc import error_details_pb2, status_pb2
from prometheus_client import CollectorRegistry

from libra.core.errors import CallerError, Conflict, FailedPrecondition, Invalid, LibraError, NotFound, Unavailable
from libra.rpc import client
from libra.rpc.channel_options import MAX_MESSAGE_BYTES, MAX_MESSAGE_CHARACTERS
from libra.rpc.errors import DETAILS_KEY, RemoteFault
from libra.rpc.server import RpcServer, ServedService
from libra.telemetry.log_actions import Action
from libra.telemetry.metrics import Metrics
from libra.v1.run_pb2 import GetRunRequest, GetRunResponse, Run, WatchRunRequest, WatchRunResponse
from libra.v1.run_pb2_grpc import RunServiceServicer, RunServiceStub, add_RunServiceServicer_to_server
from libra.v1.task_pb2 import ImportTaskRequest, ImportTaskResponse
from libra.v1.task_pb2_grpc import TaskServiceServicer, TaskServiceStub, add_TaskServiceServicer_to_server

SECRET = "sk-never-to-be-seen"
SECONDS = 10.0
CALLER_ERRORS = [
    (Invalid("samples is -1", field="spec.samples_per_task"), grpc.StatusCode.INVALID_ARGUMENT, "INVALID"),
    (NotFound("there is no run 'x'", field="id"), grpc.StatusCode.NOT_FOUND, "NOT_FOUND"),
    (Conflict("another content", field="model.name"), grpc.StatusCode.ALREADY_EXISTS, "CONFLICT"),
    (FailedPrecondition("in use by a run", field="name"), grpc.StatusCode.FAILED_PRECONDITION, "NOT_NOW"),
]


class Runs(RunServiceServicer):
    """Raises, aborts or returns as its attributes say."""

    def __init__(self) -> None:
        self.raises: BaseException | None = None
        self.aborts = False
        self.returns: Any = GetRunResponse(run=Run(id="r1"))

    async def GetRun(self, request: GetRunRequest, context: grpc.aio.ServicerContext) -> Any:
        if self.raises:
            raise self.raises
        if self.aborts:
            await context.abort(grpc.StatusCode.ABORTED, "by hand")
        return self.returns

    async def WatchRun(self, request: WatchRunRequest, context: grpc.aio.ServicerContext) -> AsyncIterator[Any]:
        yield WatchRunResponse(run=Run(id="r1", revision=1))
        if self.raises:
            raise self.raises


class Tasks(TaskServiceServicer):
    """Rejects an import of more than two chunks."""

    async def ImportTask(
        self, request_iterator: AsyncIterator[ImportTaskRequest], context: grpc.aio.ServicerContext
    ) -> ImportTaskResponse:
        chunks = [request async for request in request_iterator]
        if len(chunks) > 2:
            raise Invalid("three chunks are too many", field="data")
        return ImportTaskResponse(created=True)


class RpcHarness:
    """A client of a server, and its metrics."""

    def __init__(self, channel: grpc.aio.Channel, runs: Runs, metrics: CollectorRegistry) -> None:
        self.channel, self.runs, self.metrics = channel, runs, metrics
        self.stub, self.tasks = RunServiceStub(channel), TaskServiceStub(channel)

    def count_calls(self, method: str, code: str) -> float | None:
        return self.metrics.get_sample_value("libra_rpc_requests_total", {"method": method, "code": code})


@pytest.fixture
async def harness() -> AsyncIterator[RpcHarness]:
    registry = CollectorRegistry()
    runs, tasks = Runs(), Tasks()  # type: ignore[abstract]  # abstract only in the types: other methods are UNIMPLEMENTED
    services: list[ServedService] = [
        (add_RunServiceServicer_to_server, runs, "libra.v1.RunService"),
        (add_TaskServiceServicer_to_server, tasks, "libra.v1.TaskService"),
    ]
    server = RpcServer(services, Metrics(registry))
    port = await server.start("127.0.0.1:0")
    await server.set_ready(True)
    async with client.channel(f"127.0.0.1:{port}") as channel:
        yield RpcHarness(channel, runs, registry)
    await server.stop(0)


async def raw_error(
    harness: RpcHarness, request: bytes = b"", path: str = "/libra.v1.RunService/GetRun"
) -> grpc.aio.AioRpcError:
    """Return the gRPC error of a call as a foreign client sees it."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await harness.channel.unary_unary(path)(request, timeout=SECONDS)
    return caught.value


def details(error: grpc.aio.AioRpcError) -> tuple[error_details_pb2.ErrorInfo, error_details_pb2.BadRequest]:
    """Return the ErrorInfo and the BadRequest of an error; the BadRequest is empty if there is none."""
    metadata = error.trailing_metadata()
    assert metadata is not None
    status = status_pb2.Status.FromString(dict(metadata)[DETAILS_KEY])
    assert (status.code, status.message) == (error.code().value[0], error.details())
    info, bad_request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    assert [detail.Unpack(info) for detail in status.details].count(True) == 1
    assert [detail.Unpack(bad_request) for detail in status.details].count(True) == len(status.details) - 1
    return info, bad_request


@pytest.mark.parametrize(("raised", "code", "reason"), CALLER_ERRORS)
async def test_a_caller_error_arrives_with_its_field(
    harness: RpcHarness, raised: CallerError, code: grpc.StatusCode, reason: str
) -> None:
    harness.runs.raises = raised
    with pytest.raises(type(raised)) as caught:
        await client.call(harness.stub.GetRun, GetRunRequest(id="x"), SECONDS)
    assert (caught.value.message, caught.value.field) == (raised.message, raised.field)

    status = await raw_error(harness)
    info, bad_request = details(status)
    assert (status.code(), info.domain, info.reason) == (code, "libra", reason)
    assert [violation.field for violation in bad_request.field_violations] == [raised.field]
    assert harness.count_calls("RunService/GetRun", code.name) == 2


async def test_a_caller_error_without_a_field_has_no_violation(harness: RpcHarness) -> None:
    harness.runs.raises = Invalid("an empty selection")
    info, bad_request = details(await raw_error(harness))
    assert info.reason == "INVALID"
    assert not bad_request.field_violations


async def test_unavailable_arrives_as_unavailable(harness: RpcHarness) -> None:
    harness.runs.raises = Unavailable("MongoDB at 127.0.0.1:1 cannot be reached")
    with pytest.raises(Unavailable, match=r"^MongoDB at 127.0.0.1:1 cannot be reached$"):
        await client.call(harness.stub.GetRun, GetRunRequest(), SECONDS)
    assert details(await raw_error(harness))[0].reason == "UNAVAILABLE"


@pytest.mark.parametrize(
    "bug", [ZeroDivisionError(SECRET), LibraError(SECRET), RemoteFault(SECRET), StopIteration(SECRET)]
)
async def test_a_bug_shows_the_request_id_and_no_internal_details(harness: RpcHarness, bug: Exception) -> None:
    harness.runs.raises = bug
    with structlog.testing.capture_logs() as lines:
        status = await raw_error(harness)
    info, _ = details(status)
    assert (status.code(), info.reason) == (grpc.StatusCode.INTERNAL, "INTERNAL")
    assert SECRET not in str(status)
    assert info.metadata["request_id"] in str(status.details())
    assert [(line["action"], line["method"]) for line in lines] == [(Action.CALL_FAILED, "RunService/GetRun")]
    assert lines[0]["exc_info"]

    with pytest.raises(RemoteFault, match="request id"):
        await client.call(harness.stub.GetRun, GetRunRequest(), SECONDS)
    assert harness.count_calls("RunService/GetRun", "INTERNAL") == 2


async def test_a_valid_request_id_of_the_caller_is_kept(harness: RpcHarness) -> None:
    harness.runs.raises = NotFound("no run")
    for sent, is_kept in [("from-outside.1", True), ("x" * 65, False), ("a b", False)]:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await harness.stub.GetRun(GetRunRequest(), metadata=(("x-request-id", sent),), timeout=SECONDS)
        assert (details(caught.value)[0].metadata["request_id"] == sent) is is_kept


@pytest.mark.parametrize("returned", [None, "text"])
async def test_a_response_of_the_wrong_type_is_a_bug(harness: RpcHarness, returned: object) -> None:
    harness.runs.returns = returned
    assert (await raw_error(harness)).code() == grpc.StatusCode.INTERNAL


async def test_an_undecodable_request_is_a_caller_error(harness: RpcHarness) -> None:
    status = await raw_error(harness, b"\xff\xff\xff\xff")
    assert (status.code(), details(status)[0].reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID")
    assert "not a valid message of this method" in str(status.details())


async def test_an_undecodable_request_in_a_stream_is_a_caller_error(harness: RpcHarness) -> None:
    call = harness.channel.stream_unary("/libra.v1.TaskService/ImportTask")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(iter([b"", b"\xff\xff"]), timeout=SECONDS)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT


async def test_an_unknown_method_is_an_error_that_a_retry_does_not_fix(harness: RpcHarness) -> None:
    assert (await raw_error(harness, path="/libra.v1.RunService/Nothing")).code() == grpc.StatusCode.UNIMPLEMENTED
    unknown = harness.channel.unary_unary("/libra.v1.RunService/Nothing")
    with pytest.raises(RemoteFault, match="RunService/Nothing"):
        await client.call(unknown, b"", SECONDS)


async def test_a_too_large_request_is_rejected_and_the_channel_stays_usable(harness: RpcHarness) -> None:
    huge = GetRunRequest(id="x" * (MAX_MESSAGE_BYTES + 1))
    with pytest.raises(Invalid, match="larger than max"):
        await client.call(harness.stub.GetRun, huge, SECONDS)
    assert (await client.call(harness.stub.GetRun, GetRunRequest(), SECONDS)).run.id == "r1"


async def test_a_too_large_response_tells_the_remedy(harness: RpcHarness) -> None:
    harness.runs.returns = GetRunResponse(run=Run(id="x" * (MAX_MESSAGE_BYTES + 1)))
    with pytest.raises(Invalid, match="ask for a smaller page") as caught:
        await client.call(harness.stub.GetRun, GetRunRequest(), SECONDS)
    assert caught.value.field == "page_size"


@pytest.mark.parametrize(
    "text",
    ["x" * 1_000_000, "漢" * 100_000, "\x00\x01\r\n\t", "a lone \ud800 surrogate", "é%20\N{PILE OF POO}" * 1000, ""],
    ids=["long", "long in three bytes", "control", "surrogate", "percent", "empty"],
)
async def test_an_error_message_may_contain_any_text(harness: RpcHarness, text: str) -> None:
    harness.runs.raises = NotFound(text, field=text)
    with pytest.raises(NotFound) as caught:
        await client.call(harness.stub.GetRun, GetRunRequest(), SECONDS)
    expected_text = text.encode(errors="replace").decode() or "NOT_FOUND"
    assert caught.value.message[:1000] == expected_text[:1000]
    assert len(caught.value.message) <= MAX_MESSAGE_CHARACTERS


async def test_an_error_between_two_streamed_responses_arrives(harness: RpcHarness) -> None:
    harness.runs.raises = NotFound("the run is gone", field="id")
    answers = client.stream(harness.stub.WatchRun, WatchRunRequest(), SECONDS)
    assert (await anext(answers)).run.revision == 1
    with pytest.raises(NotFound, match="the run is gone"):
        await anext(answers)
    assert harness.count_calls("RunService/WatchRun", "NOT_FOUND") == 1


async def test_a_bug_in_a_stream_is_logged_and_hidden(harness: RpcHarness) -> None:
    harness.runs.raises = KeyError(SECRET)
    with structlog.testing.capture_logs() as lines, pytest.raises(RemoteFault) as caught:
        [answer async for answer in client.stream(harness.stub.WatchRun, WatchRunRequest(), None)]
    assert SECRET not in str(caught.value)
    assert [line["action"] for line in lines] == [Action.CALL_FAILED]


async def test_a_stream_of_requests_is_answered_or_rejected(harness: RpcHarness) -> None:
    def chunks(number: int) -> Callable[[], AsyncIterator[ImportTaskRequest]]:
        async def sent() -> AsyncIterator[ImportTaskRequest]:
            for _ in range(number):
                yield ImportTaskRequest(data=b"x")

        return sent

    assert (await client.call(harness.tasks.ImportTask, chunks(2)(), SECONDS)).created
    with pytest.raises(Invalid, match="three chunks"):
        await client.call(harness.tasks.ImportTask, chunks(3)(), SECONDS)
    assert harness.count_calls("TaskService/ImportTask", "OK") == 1


async def test_an_address_without_a_server_is_unavailable_soon() -> None:
    async with client.channel("127.0.0.1:1") as channel:
        with pytest.raises(Unavailable, match=r"RunService/GetRun cannot be reached"):
            await client.call(RunServiceStub(channel).GetRun, GetRunRequest(), SECONDS)


async def test_a_call_that_the_handler_aborts_is_counted_by_its_code(harness: RpcHarness) -> None:
    harness.runs.aborts = True
    assert (await raw_error(harness)).code() == grpc.StatusCode.ABORTED
    assert harness.count_calls("RunService/GetRun", "ABORTED") == 1


async def test_statuses_of_foreign_servers_are_mapped_by_their_code() -> None:
    class Foreign(RunServiceServicer):
        async def GetRun(self, request: GetRunRequest, context: grpc.aio.ServicerContext) -> GetRunResponse:
            await context.abort(grpc.StatusCode[request.id], "foreign words")
            raise AssertionError

    server = grpc.aio.server()
    foreign = Foreign()  # type: ignore[abstract]  # abstract only in the types: other methods are UNIMPLEMENTED
    add_RunServiceServicer_to_server(foreign, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    expected = {
        "NOT_FOUND": NotFound,
        "ABORTED": Unavailable,
        "RESOURCE_EXHAUSTED": Unavailable,
        "DATA_LOSS": RemoteFault,
    }
    async with client.channel(f"127.0.0.1:{port}") as channel:
        for code, error in expected.items():
            with pytest.raises(error, match="foreign words"):
                await client.call(RunServiceStub(channel).GetRun, GetRunRequest(id=code), SECONDS)
    await server.stop(0)
