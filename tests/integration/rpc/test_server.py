"""The gRPC server of a process on a real port: health, reflection, streams, deadlines, metrics, traces and shutdown."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import grpc.aio
import pytest
from grpc_health.v1 import health_pb2
from grpc_health.v1.health_pb2_grpc import HealthStub
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest
from grpc_reflection.v1alpha.reflection_pb2_grpc import ServerReflectionStub
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from prometheus_client import CollectorRegistry

from libra.core.errors import Unavailable
from libra.core.timeouts import wait_until_set
from libra.local import health as local_health
from libra.rpc import call_context, client
from libra.rpc.server import RpcServer
from libra.telemetry import spans, tracing
from libra.telemetry.metrics import Metrics
from libra.v1.run_pb2 import (
    CancelRunRequest,
    CancelRunResponse,
    GetRunRequest,
    GetRunResponse,
    ListRunsRequest,
    ListRunsResponse,
    Run,
    WatchRunRequest,
    WatchRunResponse,
)
from libra.v1.run_pb2_grpc import RunServiceServicer, RunServiceStub, add_RunServiceServicer_to_server

NAME = "libra.v1.RunService"
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SECONDS = 10.0


@dataclass
class Runs(RunServiceServicer):
    """Handlers that answer immediately, late, never, or by calling another service."""

    next_service: RunServiceStub | None = None
    started: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    time_left_seconds: float | None = None
    request_id: str = ""

    CreateRun = RunServiceServicer.CreateRun
    """UNIMPLEMENTED; it is abstract only in the types."""

    async def GetRun(self, request: GetRunRequest, context: grpc.aio.ServicerContext) -> GetRunResponse:
        self.time_left_seconds, self.request_id = call_context.time_left(None), call_context.request_id()
        if self.next_service:
            return await client.call(self.next_service.GetRun, request, SECONDS)
        return GetRunResponse(run=Run(id=request.id))

    async def CancelRun(self, request: CancelRunRequest, context: grpc.aio.ServicerContext) -> CancelRunResponse:
        await self._wait()
        return CancelRunResponse()

    async def ListRuns(self, request: ListRunsRequest, context: grpc.aio.ServicerContext) -> ListRunsResponse:
        self.started.set()
        await asyncio.sleep(0.3)
        return ListRunsResponse(next_page_token="done")

    async def WatchRun(
        self, request: WatchRunRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[WatchRunResponse]:
        for revision in range(3):
            yield WatchRunResponse(run=Run(id=request.id, revision=revision))
        if request.after_revision:
            await self._wait()

    async def _wait(self) -> None:
        self.started.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.set()


@dataclass
class ServerHarness:
    """A running server, its handlers, its metrics and a channel to it."""

    server: RpcServer
    runs: Runs
    registry: CollectorRegistry
    port: int
    channel: grpc.aio.Channel

    @property
    def stub(self) -> RunServiceStub:
        return RunServiceStub(self.channel)

    def metric_value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)

    async def wait_until_counted(self, method: str, code: str) -> None:
        """Return when one such call is counted, which happens after the handler has ended."""
        async with asyncio.timeout(SECONDS):
            while self.metric_value("libra_rpc_requests_total", method=method, code=code) != 1:
                await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def running_server(runs: Runs) -> AsyncIterator[ServerHarness]:
    registry = CollectorRegistry()
    server = RpcServer([(add_RunServiceServicer_to_server, runs, NAME)], Metrics(registry))
    port = await server.start("127.0.0.1:0")
    async with client.channel(f"127.0.0.1:{port}") as channel:
        yield ServerHarness(server, runs, registry, port, channel)
    await server.stop(0)


@pytest.fixture
async def harness() -> AsyncIterator[ServerHarness]:
    async with running_server(Runs()) as harness:
        await harness.server.set_ready(True)
        yield harness


@pytest.fixture
def finished_spans() -> Iterator[InMemorySpanExporter]:
    """Record the spans that end during the test."""
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        trace.set_tracer_provider(TracerProvider())
    provider = trace.get_tracer_provider()
    assert isinstance(provider, TracerProvider)
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield exporter
    exporter.shutdown()


@contextlib.asynccontextmanager
async def health_stub(harness: ServerHarness) -> AsyncIterator[HealthStub]:
    """Connect as a probe does: over a channel without client-side health checks."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{harness.port}") as channel:
        yield HealthStub(channel)


async def health(harness: ServerHarness, service: str) -> int:
    async with health_stub(harness) as stub:
        return int((await stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=SECONDS)).status)


async def test_health_is_reported_for_process_and_services_and_liveness_separately() -> None:
    async with running_server(Runs()) as harness:
        assert [await health(harness, name) for name in ("", NAME)] == [NOT_SERVING, NOT_SERVING]
        assert await health(harness, "liveness") == SERVING
        await harness.server.set_ready(True)
        assert [await health(harness, name) for name in ("", NAME)] == [SERVING, SERVING]
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await health(harness, "libra.v1.Unknown")
        assert caught.value.code() == grpc.StatusCode.NOT_FOUND


async def test_a_health_watch_reports_each_change() -> None:
    async with running_server(Runs()) as harness, health_stub(harness) as stub:
        watch = stub.Watch(health_pb2.HealthCheckRequest(service=NAME), timeout=SECONDS)
        assert (await watch.read()).status == NOT_SERVING
        await harness.server.set_ready(True)
        assert (await watch.read()).status == SERVING
        await harness.server.set_ready(False)
        assert (await watch.read()).status == NOT_SERVING
        watch.cancel()


async def test_a_service_gets_no_calls_until_it_is_ready() -> None:
    async with running_server(Runs()) as harness:
        with pytest.raises(Unavailable):
            await client.call(harness.stub.GetRun, GetRunRequest(id="a"), SECONDS)
        assert not harness.runs.request_id
        await harness.server.set_ready(True)
        async with asyncio.timeout(SECONDS):
            while not harness.runs.request_id:
                with contextlib.suppress(Unavailable):
                    await client.call(harness.stub.GetRun, GetRunRequest(id="a"), SECONDS)


async def test_each_channel_has_its_own_connection() -> None:
    """Otherwise the backoff of a channel whose server was not started yet would delay channels opened later."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(SECONDS):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.setblocking(False)
            address = f"127.0.0.1:{listener.getsockname()[1]}"
            async with client.channel(address) as first, client.channel(address) as second:
                first.get_state(try_to_connect=True)
                with (await loop.sock_accept(listener))[0]:
                    second.get_state(try_to_connect=True)
                    (await loop.sock_accept(listener))[0].close()


async def test_reflection_lists_the_services_and_returns_their_files(harness: ServerHarness) -> None:
    requests = [ServerReflectionRequest(list_services=""), ServerReflectionRequest(file_containing_symbol=NAME)]
    answers = [a async for a in ServerReflectionStub(harness.channel).ServerReflectionInfo(iter(requests))]
    names = {service.name for service in answers[0].list_services_response.service}
    assert names == {NAME, "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}
    assert b"WatchRun" in b"".join(answers[1].file_descriptor_response.file_descriptor_proto)


async def test_a_stream_yields_its_responses_and_ends(harness: ServerHarness) -> None:
    seen = [a.run.revision async for a in client.stream(harness.stub.WatchRun, WatchRunRequest(id="r"), SECONDS)]
    assert seen == [0, 1, 2]
    assert harness.metric_value("libra_rpc_requests_total", method="RunService/WatchRun", code="OK") == 1


async def test_calls_are_counted_and_timed_by_method_except_health_checks(harness: ServerHarness) -> None:
    for _ in range(3):
        await client.call(harness.stub.GetRun, GetRunRequest(), SECONDS)
    await health(harness, "")
    assert harness.metric_value("libra_rpc_requests_total", method="RunService/GetRun", code="OK") == 3
    assert harness.metric_value("libra_rpc_seconds_count", method="RunService/GetRun") == 3
    counted = [
        s.labels["method"] for m in harness.registry.collect() for s in m.samples if s.name.endswith("requests_total")
    ]
    assert set(counted) <= {"RunService/GetRun"}


async def test_a_call_that_exceeds_its_deadline_ends_on_both_sides(harness: ServerHarness) -> None:
    started = time.monotonic()
    with pytest.raises(Unavailable, match="DEADLINE_EXCEEDED"):
        await client.call(harness.stub.CancelRun, CancelRunRequest(), 0.3)
    assert time.monotonic() - started < 3
    assert await wait_until_set(harness.runs.ended, SECONDS)
    await harness.wait_until_counted("RunService/CancelRun", "DEADLINE_EXCEEDED")


async def test_a_cancelled_call_cancels_its_handler(harness: ServerHarness) -> None:
    call = asyncio.create_task(client.call(harness.stub.CancelRun, CancelRunRequest(), SECONDS))
    assert await wait_until_set(harness.runs.started, SECONDS)
    call.cancel()
    assert await wait_until_set(harness.runs.ended, SECONDS)
    with pytest.raises(asyncio.CancelledError):
        await call
    await harness.wait_until_counted("RunService/CancelRun", "CANCELLED")


async def test_a_closed_stream_cancels_its_handler(harness: ServerHarness) -> None:
    answers = client.stream(harness.stub.WatchRun, WatchRunRequest(after_revision=1), None)
    assert (await anext(answers)).run.revision == 0
    assert await wait_until_set(harness.runs.started, SECONDS)
    await answers.aclose()
    assert await wait_until_set(harness.runs.ended, SECONDS)
    await harness.wait_until_counted("RunService/WatchRun", "CANCELLED")


async def test_the_remaining_deadline_and_the_request_id_are_passed_on(harness: ServerHarness) -> None:
    async with running_server(Runs(next_service=harness.stub)) as front:
        await front.server.set_ready(True)
        metadata = (("x-request-id", "one-for-both"),)
        await front.stub.GetRun(GetRunRequest(id="r"), timeout=3.0, metadata=metadata)
    assert harness.runs.time_left_seconds is not None
    assert 0 < harness.runs.time_left_seconds <= 3.0
    assert harness.runs.request_id == front.runs.request_id == "one-for-both"


async def test_a_call_without_a_deadline_has_unlimited_time(harness: ServerHarness) -> None:
    await harness.stub.GetRun(GetRunRequest())
    assert harness.runs.time_left_seconds is None


async def test_a_trace_continues_through_two_services(
    harness: ServerHarness, finished_spans: InMemorySpanExporter
) -> None:
    async with running_server(Runs(next_service=harness.stub)) as front:
        await front.server.set_ready(True)
        with tracing.tracer().start_as_current_span("test.root") as root:
            await client.call(front.stub.GetRun, GetRunRequest(id="r"), SECONDS)
    by_id = {span.context.span_id: span for span in finished_spans.get_finished_spans() if span.context}
    chain: list[ReadableSpan] = [next(s for s in by_id.values() if s.kind == SpanKind.SERVER and _depth(s, by_id) == 4)]
    while chain[-1].parent:
        chain.append(by_id[chain[-1].parent.span_id])
    assert [span.name for span in reversed(chain)] == ["test.root", *[spans.RPC_CALL, spans.RPC_SERVE] * 2]
    assert {span.context.trace_id for span in chain if span.context} == {root.get_span_context().trace_id}
    assert chain[0].attributes
    assert chain[0].attributes["rpc.method"] == "RunService/GetRun"


def _depth(span: ReadableSpan, by_id: dict[int, ReadableSpan]) -> int:
    return 1 + _depth(by_id[span.parent.span_id], by_id) if span.parent else 0


async def test_a_stream_keeps_the_current_span_of_its_reader(
    harness: ServerHarness, finished_spans: InMemorySpanExporter
) -> None:
    with tracing.tracer().start_as_current_span("test.reader") as reader:
        async for _ in client.stream(harness.stub.WatchRun, WatchRunRequest(), SECONDS):
            assert trace.get_current_span() is reader
    served = next(span for span in finished_spans.get_finished_spans() if span.name == spans.RPC_SERVE)
    assert served.context
    assert served.context.trace_id == reader.get_span_context().trace_id


async def test_invalid_http2_ends_only_its_own_connection(harness: ServerHarness) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", harness.port)
    writer.write(b"GET / HTTP/1.1\r\n\r\n" + bytes(range(256)) * 64)
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(SECONDS):
            await reader.read()
    writer.close()
    assert (await client.call(harness.stub.GetRun, GetRunRequest(id="r"), SECONDS)).run.id == "r"


async def test_a_port_in_use_is_reported(harness: ServerHarness) -> None:
    second = RpcServer([], Metrics(CollectorRegistry()))
    with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{harness.port}"):
        await second.start(f"127.0.0.1:{harness.port}")
    await second.stop(0)


async def test_a_stop_lets_calls_finish_and_ends_watches(harness: ServerHarness) -> None:
    watch = client.stream(harness.stub.WatchRun, WatchRunRequest(after_revision=1), None)
    await anext(watch)
    assert await wait_until_set(harness.runs.started, SECONDS)
    harness.runs.started.clear()
    call = asyncio.create_task(client.call(harness.stub.ListRuns, ListRunsRequest(), SECONDS))
    assert await wait_until_set(harness.runs.started, SECONDS)
    await harness.server.stop(1.0)
    assert (await call).next_page_token == "done"
    with pytest.raises(Unavailable):
        [answer async for answer in watch]


async def test_a_health_check_says_why_the_process_is_not_ready(harness: ServerHarness) -> None:
    reason = "MongoDB schläft; 2 s"
    await harness.server.set_ready(False, reason)
    assert await asyncio.to_thread(local_health.not_ready_reason, harness.port) == reason
    await harness.server.set_ready(True)
    assert await asyncio.to_thread(local_health.not_ready_reason, harness.port) == ""
