"""Tracing: the tracer, W3C trace context in headers, export over OTLP."""

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
"""Time limit of one export to the OTLP endpoint."""


def tracer() -> trace.Tracer:
    """Return the tracer of this process; it records nothing before `setup`."""
    return trace.get_tracer("libra")


def inject(context: Context | None = None) -> dict[str, str]:
    """Return a context, by default the current one, as W3C headers in lower case; empty outside of a span."""
    headers: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(headers, context)
    return headers


def extract(headers: Mapping[str, str]) -> Context:
    """Return the context that `inject` wrote; an empty one if the headers are missing or malformed."""
    return TraceContextTextMapPropagator().extract(dict(headers), Context())


def setup(service: str, otlp_endpoint: str) -> Callable[[], None]:
    """Enable tracing, and export spans to `otlp_endpoint` unless that is empty.

    Return the function that exports the last spans and stops the export; it blocks for some seconds if the endpoint is
    down. Call it once per process: OpenTelemetry keeps the first provider.
    """
    provider = tracer_provider(service, otlp_endpoint)
    trace.set_tracer_provider(provider)
    return provider.shutdown


def tracer_provider(service: str, otlp_endpoint: str) -> TracerProvider:
    """Return the tracer provider of `service`; it exports to `otlp_endpoint`, or nowhere if that is empty.

    Without an endpoint spans are not recorded: they only have ids, for the log and for the next service, and cost
    little.
    """
    provider = TracerProvider(
        sampler=DEFAULT_ON if otlp_endpoint else ALWAYS_OFF,
        resource=Resource.create({SERVICE_NAME: f"libra-{service}"}),
        shutdown_on_exit=False,
    )
    if otlp_endpoint:
        provider.add_span_processor(BatchSpanProcessor(_exporter(otlp_endpoint)))
    return provider


def _exporter(endpoint: str) -> SpanExporter:
    # The import takes a quarter of a second, and the command line, which never exports, imports this file.
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter  # noqa: PLC0415

    return OTLPSpanExporter(endpoint=endpoint, insecure=not endpoint.startswith("https://"), timeout=EXPORT_SECONDS)
