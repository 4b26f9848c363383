"""One batch of trials is one trace, from dispatch to its verdicts, across five processes and four queues."""

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

from libra.local.system import System
from libra.telemetry import spans

from .run_client import Client

PIPELINE = ["dispatch", "attack", "gateway", "judge", "ranking"]


class Collector(TraceServiceServicer):
    """Keeps every span in memory: its service, its name, its id and its parent's, by trace."""

    def __init__(self) -> None:
        self.traces: dict[bytes, list[tuple[str, str, bytes, bytes]]] = {}

    def Export(self, request: ExportTraceServiceRequest, context: grpc.ServicerContext) -> ExportTraceServiceResponse:
        for of_resource in request.resource_spans:
            names = {one.key: one.value.string_value for one in of_resource.resource.attributes}
            service = names["service.name"].removeprefix("libra-")
            for span in (span for scope in of_resource.scope_spans for span in scope.spans):
                seen = service, span.name, span.span_id, span.parent_span_id
                self.traces.setdefault(span.trace_id, []).append(seen)
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
    """Return the services of the trace's pipeline spans, each the child of the one before."""
    batches = {parent: (service, span) for service, name, span, parent in trace if name == spans.STAGE_HANDLE}
    begun = [(service, span) for service, name, span, _ in trace if name == spans.DISPATCH_SEND]
    chain = begun[:1]
    while chain and (following := batches.get(chain[-1][1])):
        chain.append(following)
    return [service for service, _ in chain]


async def test_a_trial_is_one_trace_through_all_five_services(tmp_path: Path, collector: tuple[Collector, str]) -> None:
    kept, endpoint = collector
    with System.start(tmp_path, variables={"LIBRA_OTLP_ENDPOINT": endpoint}) as system:
        client = Client(system)
        run = await client.create(
            models=["careful"], tasks=["dangerous_requests"], attacks=["few_shots"], samples_per_task=5
        )
        await client.ended(run.id)
        await client.close()
        await asyncio.to_thread(system.stop)  # a service that stops sends its last spans
    assert PIPELINE in [pipeline_of(trace) for trace in kept.traces.values()]
