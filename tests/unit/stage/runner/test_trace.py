"""The outputs of a stage continue the trace of its input."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from libra.stage.bus import Outgoing
from libra.stage.errors import Reject
from libra.telemetry import tracing
from libra.testing.virtual_time import simulate
from libra.v1.batch_pb2 import TrialBatch

from .runner_harness import OUTPUT_SUBJECT, RunnerHarness, output


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


def test_the_trace_continues_in_the_headers_of_outputs_and_dead_letters(finished_spans: InMemorySpanExporter) -> None:
    async def handle(trials: TrialBatch) -> list[Outgoing]:
        if trials.trials[0].sample == 2:
            raise Reject("never")
        return output(trials)

    async def test() -> None:
        harness = RunnerHarness()
        with tracing.tracer().start_as_current_span("before"):
            await harness.publish(1, 2)
        await harness.run_for(handle, 5)
        out, letter = harness.bus.messages(OUTPUT_SUBJECT)[0], harness.bus.messages("dead.judge")[0]
        before = {span.name: span for span in finished_spans.get_finished_spans()}["before"]
        trace_id = format(before.context.trace_id, "032x")
        assert trace_id in out.headers["traceparent"]
        assert trace_id in letter.headers["traceparent"]
        spans = [span for span in finished_spans.get_finished_spans() if span.name == "stage.handle"]
        assert [span.kind for span in spans] == [SpanKind.CONSUMER] * 2
        assert {span.parent.span_id for span in spans if span.parent} == {before.context.span_id}
        assert sorted(span.status.is_ok for span in spans) == [False, True]
        assert dict(spans[0].attributes or {}) == {
            "stage": "judge",
            "run": "r",
            "model": "m",
            "task": "t@1",
            "attack": "none",
            "trials": 1,
        }

    simulate(test())
