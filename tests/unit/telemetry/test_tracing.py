"""Trace context is injected as W3C headers and extracted from them only."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent import futures

import grpc
import pytest
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import (
    TraceServiceServicer,
    add_TraceServiceServicer_to_server,
)
from opentelemetry.sdk.trace import TracerProvider

from libra.telemetry import tracing

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
HEADERS = {"traceparent": f"00-{TRACE_ID}-b7ad6b7169203331-01", "unrelated": "x"}


def test_an_extracted_context_is_injected_unchanged() -> None:
    context = tracing.extract(HEADERS)
    assert tracing.inject(context) == {"traceparent": HEADERS["traceparent"]}


@pytest.mark.parametrize(
    "headers", [{}, {"traceparent": ""}, {"traceparent": "garbage"}, {"traceparent": f"00-{'0' * 32}-{'0' * 16}-01"}]
)
def test_other_headers_contain_no_context(headers: dict[str, str]) -> None:
    assert tracing.inject(tracing.extract(headers)) == {}


def test_outside_a_span_nothing_is_injected() -> None:
    assert tracing.inject() == {}


def test_extract_ignores_the_current_span() -> None:
    with TracerProvider().get_tracer("t").start_as_current_span("test.outer"):
        assert tracing.inject()
        assert tracing.inject(tracing.extract({})) == {}


class Collector(TraceServiceServicer):
    def __init__(self) -> None:
        self.received: list[ExportTraceServiceRequest] = []
        self.has_received = threading.Event()

    def Export(self, request: ExportTraceServiceRequest, context: grpc.ServicerContext) -> ExportTraceServiceResponse:
        self.received.append(request)
        self.has_received.set()
        return ExportTraceServiceResponse()


@pytest.fixture
def collector() -> Iterator[tuple[Collector, int]]:
    server = grpc.server(futures.ThreadPoolExecutor(1))
    servicer = Collector()
    add_TraceServiceServicer_to_server(servicer, server)  # type: ignore[no-untyped-call]  # generated without types
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield servicer, port
    server.stop(0).wait()


def test_spans_reach_an_otlp_endpoint_with_the_services_name(collector: tuple[Collector, int]) -> None:
    servicer, port = collector
    provider = tracing.tracer_provider("attack", f"http://127.0.0.1:{port}")
    with provider.get_tracer("libra").start_as_current_span("stage.handle") as span:
        ids = span.get_span_context()
    provider.shutdown()
    assert servicer.has_received.wait(5)
    resource_spans = servicer.received[0].resource_spans[0]
    assert ("service.name", "libra-attack") in {
        (attribute.key, attribute.value.string_value) for attribute in resource_spans.resource.attributes
    }
    sent = resource_spans.scope_spans[0].spans[0]
    assert (sent.name, sent.trace_id.hex()) == ("stage.handle", trace.format_trace_id(ids.trace_id))


def test_without_an_endpoint_a_span_has_ids_and_is_not_recorded() -> None:
    with tracing.tracer_provider("attack", "").get_tracer("libra").start_as_current_span("stage.handle") as span:
        ids = span.get_span_context()
        assert not span.is_recording()
        assert tracing.inject()["traceparent"].startswith(f"00-{trace.format_trace_id(ids.trace_id)}-")
