"""One batch of trials is one trace from dispatch to its verdicts, through five processes and four queues."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import (
    TraceServiceServicer,
    add_TraceServiceServicer_to_server,
)
from tests.chaos.harness import NO_PAGES
from tests.system.run_client import RunClient

from libra.local.system import System
from libra.telemetry import spans

PIPELINE = ["dispatch", "attack", "gateway", "judge", "ranking"]


class Collector(TraceServiceServicer):
    """Keeps the spans of each trace: service, name, id and id of the parent."""

    def __init__(self) -> None:
        self.traces: dict[bytes, list[tuple[str, str, bytes, bytes]]] = {}

    def Export(self, request: ExportTraceServiceRequest, context: grpc.ServicerContext) -> ExportTraceServiceResponse:
        for resource_spans in request.resource_spans:
            attributes = {
                attribute.key: attribute.value.string_value for attribute in resource_spans.resource.attributes
            }
            service = attributes["service.name"].removeprefix("libra-")
            for span in (span for scope in resource_spans.scope_spans for span in scope.spans):
                entry = service, span.name, span.span_id, span.parent_span_id
                self.traces.setdefault(span.trace_id, []).append(entry)
        return ExportTraceServiceResponse()


@pytest.fixture
def collector() -> Iterator[tuple[Collector, str]]:
    servicer, server = Collector(), grpc.server(futures.ThreadPoolExecutor(2))
    add_TraceServiceServicer_to_server(servicer, server)  # type: ignore[no-untyped-call]  # generated, without types
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield servicer, f"http://127.0.0.1:{port}"
    server.stop(0).wait()


def pipeline_of(trace: list[tuple[str, str, bytes, bytes]]) -> list[str]:
    """Return the services of the trace's pipeline spans; each span is the child of the one before."""
    batches = {parent: (service, span) for service, name, span, parent in trace if name == spans.STAGE_HANDLE}
    sent = [(service, span) for service, name, span, _ in trace if name == spans.DISPATCH_SEND]
    chain = sent[:1]
    while chain and (next_batch := batches.get(chain[-1][1])):
        chain.append(next_batch)
    return [service for service, _ in chain]


async def test_a_trial_is_one_trace_through_all_five_services(tmp_path: Path, collector: tuple[Collector, str]) -> None:
    received, endpoint = collector
    with System.start(tmp_path, replicas=NO_PAGES, variables={"LIBRA_OTLP_ENDPOINT": endpoint}) as system:
        client = RunClient(system)
        run = await client.create(
            models=["careful"], tasks=["dangerous_requests"], attacks=["few_shots"], samples_per_task=5
        )
        await client.wait_for_end(run.id)
        await client.close()
        await asyncio.to_thread(system.stop)  # a service that stops sends its last spans
    assert PIPELINE in [pipeline_of(trace) for trace in received.traces.values()]
