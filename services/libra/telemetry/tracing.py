"""Traces: W3C trace context in, spans, W3C trace context out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, DEFAULT_ON
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

EXPORT_SECONDS = 5
"""One delivery to the OTLP endpoint takes no longer."""


def tracer() -> trace.Tracer:
    """Return the tracer of this process; before `setup` it records nothing."""
    return trace.get_tracer("libra")


def inject(context: Context | None = None) -> dict[str, str]:
    """Return a context, by default the current one, as W3C headers in lower case; empty outside of a span."""
    headers: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(headers, context)
    return headers


def extract(headers: Mapping[str, str]) -> Context:
    """Return the context that `inject` wrote; an empty one if there is none or it is no such header."""
    return TraceContextTextMapPropagator().extract(dict(headers), Context())


def setup(service: str, otlp_endpoint: str) -> Callable[[], None]:
    """Give every span an id, and send it to `otlp_endpoint` unless that is empty.

    Return what sends the last spans and ends the sending; it blocks for some seconds if nobody answers there.
    A process calls this once: OpenTelemetry keeps the first provider it is given.
    """
    made = provider(service, otlp_endpoint)
    trace.set_tracer_provider(made)
    return made.shutdown


def provider(service: str, otlp_endpoint: str) -> TracerProvider:
    """Return what makes the spans of `service` and sends them to `otlp_endpoint`, or nowhere if that is empty.

    What goes nowhere is not recorded: it has its ids, for the log and for the next service, and costs little else.
    """
    made = TracerProvider(
        sampler=DEFAULT_ON if otlp_endpoint else ALWAYS_OFF,
        resource=Resource.create({SERVICE_NAME: f"libra-{service}"}),
        shutdown_on_exit=False,
    )
    if otlp_endpoint:
        made.add_span_processor(BatchSpanProcessor(_exporter(otlp_endpoint)))
    return made


def _exporter(endpoint: str) -> SpanExporter:
    # A quarter of a second to import, and the command line, which calls but never exports, imports this file.
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter  # noqa: PLC0415

    return OTLPSpanExporter(endpoint=endpoint, insecure=not endpoint.startswith("https://"), timeout=EXPORT_SECONDS)
