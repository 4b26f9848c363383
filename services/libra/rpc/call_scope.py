"""One call as its server sees it, whatever its shape: its span, its metrics, its log lines, and how its errors leave."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NoReturn

import grpc.aio
import structlog
from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from libra.rpc import call_context
from libra.rpc.call_context import CallContext
from libra.rpc.errors import BUG, DETAILS_KEY, kind_of, to_status
from libra.telemetry import spans, tracing
from libra.telemetry.log_actions import Action
from libra.telemetry.metrics import Metrics

log = structlog.get_logger(__name__)


@asynccontextmanager
async def call_scope(method: str, context: grpc.aio.ServicerContext, metrics: Metrics) -> AsyncIterator[None]:
    """Surround the handling of one call of `method` ("RunService/GetRun"); an error inside leaves as a status."""
    metadata = context.invocation_metadata() or ()
    call = CallContext.of(metadata, context.time_remaining())
    span = _begin(method, call, {key: value for key, value in metadata if isinstance(value, str)})
    started_seconds, code = time.monotonic(), grpc.StatusCode.OK.name
    refusal: Exception | None = None
    try:
        yield
    except grpc.aio.AbortError:
        code = context.code().name
        raise
    except (asyncio.CancelledError, GeneratorExit):
        code = _why_cancelled(call).name
        raise
    except Exception as error:  # whatever it is, it leaves as a status
        code = kind.code.name if (kind := kind_of(error)) else BUG
        refusal = error
        if kind is None:
            span.set_status(Status(StatusCode.ERROR, type(error).__name__))
            log.exception("a call failed on a bug", action=Action.CALL_FAILED, method=method)
    finally:
        metrics.rpc_requests.labels(method=method, code=code).inc()
        metrics.rpc_seconds.labels(method=method).observe(time.monotonic() - started_seconds)
        span.set_attribute("rpc.grpc.status", code)
        span.end()
    if refusal:
        await _refuse(refusal, call, context)


def _begin(method: str, call: CallContext, headers: dict[str, str]) -> Span:
    """Make `call`, its span and its request id those of this task; gRPC handles every call in a task of its own."""
    call_context.CURRENT.set(call)
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=call.request_id)
    span = tracing.tracer().start_span(
        spans.RPC_SERVE,
        tracing.extract(headers),
        SpanKind.SERVER,
        {"rpc.system": "grpc", "rpc.method": method, "libra.request_id": call.request_id},
    )
    # Never detached: the context ends with the task, and an answer in a stream may be the last step of it.
    contexts.attach(trace.set_span_in_context(span))
    return span


async def _refuse(error: Exception, call: CallContext, context: grpc.aio.ServicerContext) -> NoReturn:
    """End the call with the status for `error`."""
    status = to_status(error, call.request_id)
    codes = {code.value[0]: code for code in grpc.StatusCode}
    await context.abort(codes[status.code], status.message, ((DETAILS_KEY, status.SerializeToString()),))
    raise AssertionError("abort does not return")


def _why_cancelled(call: CallContext) -> grpc.StatusCode:
    """Tell a caller whose time was up from one that went away."""
    late = call.due_seconds is not None and time.monotonic() >= call.due_seconds
    return grpc.StatusCode.DEADLINE_EXCEEDED if late else grpc.StatusCode.CANCELLED
