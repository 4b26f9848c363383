"""Give every served call its span, metrics, log context and error status."""

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

from libra.core.sealed import sealing
from libra.rpc import call_context
from libra.rpc.call_context import CallContext
from libra.rpc.errors import BUG_REASON, DETAILS_KEY, mapping_for, to_status
from libra.telemetry import spans, tracing
from libra.telemetry.log_actions import Action
from libra.telemetry.metrics import Metrics

log = structlog.get_logger(__name__)


@asynccontextmanager
async def call_scope(method: str, context: grpc.aio.ServicerContext, metrics: Metrics) -> AsyncIterator[None]:
    """Surround the handler of one call of `method` ("RunService/GetRun"); turn an exception inside into a status."""
    metadata = context.invocation_metadata() or ()
    call = CallContext.from_metadata(metadata, context.time_remaining())
    span = _start_span(method, call, {key: value for key, value in metadata if isinstance(value, str)})
    started_seconds, code = time.monotonic(), grpc.StatusCode.OK.name
    failure: Exception | None = None
    try:
        yield
    except grpc.aio.AbortError:
        code = context.code().name
        raise
    except (asyncio.CancelledError, GeneratorExit):
        code = _cancellation_code(call).name
        raise
    except Exception as error:  # every exception becomes a status
        code = mapping.code.name if (mapping := mapping_for(error)) else BUG_REASON
        failure = error
        if mapping is None:
            span.set_status(Status(StatusCode.ERROR, type(error).__name__))
            log.exception("a call failed on a bug", action=Action.CALL_FAILED, method=method)
    finally:
        metrics.rpc_requests.labels(method=method, code=code).inc()
        metrics.rpc_seconds.labels(method=method).observe(time.monotonic() - started_seconds)
        span.set_attribute("rpc.grpc.status", code)
        span.end()
    if failure:
        await _abort(failure, call, context)


def _start_span(method: str, call: CallContext, headers: dict[str, str]) -> Span:
    """Start the call's span, and bind call, span and request id to this task; gRPC runs every call in its own task."""
    call_context.CURRENT.set(call)
    sealing.enter(sealed=call_context.SEALED_KEY in headers)
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=call.request_id)
    span = tracing.tracer().start_span(
        spans.RPC_SERVE,
        tracing.extract(headers),
        SpanKind.SERVER,
        {"rpc.system": "grpc", "rpc.method": method, "libra.request_id": call.request_id},
    )
    # Never detached: the context ends with the task, and the last reply of a stream may be the task's last step.
    contexts.attach(trace.set_span_in_context(span))
    return span


async def _abort(error: Exception, call: CallContext, context: grpc.aio.ServicerContext) -> NoReturn:
    """End the call with the status for `error`."""
    status = to_status(error, call.request_id)
    codes = {code.value[0]: code for code in grpc.StatusCode}
    await context.abort(codes[status.code], status.message, ((DETAILS_KEY, status.SerializeToString()),))
    raise AssertionError("abort does not return")


def _cancellation_code(call: CallContext) -> grpc.StatusCode:
    """Return DEADLINE_EXCEEDED if the call's deadline has passed, CANCELLED if its caller went away before."""
    late = call.deadline_seconds is not None and time.monotonic() >= call.deadline_seconds
    return grpc.StatusCode.DEADLINE_EXCEEDED if late else grpc.StatusCode.CANCELLED
