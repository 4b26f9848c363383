"""Call other services: one channel per address and process, every call under a deadline, every failure an error of ours."""

from __future__ import annotations

import json
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import grpc.aio
from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode

from libra.rpc import call_context
from libra.rpc.channel_options import KEEPALIVE_SECONDS, SHARED
from libra.rpc.errors import from_rpc_error
from libra.telemetry import spans, tracing

Response = TypeVar("Response")

SERVICE_CONFIG: Final = {
    "loadBalancingConfig": [{"round_robin": {}}],
    # A replica that says NOT_SERVING gets no calls.
    "healthCheckConfig": {"serviceName": ""},
    "methodConfig": [
        {
            "name": [{}],
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.1s",
                "maxBackoff": "1s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ],
    "retryThrottling": {"maxTokens": 100, "tokenRatio": 0.1},
}
OPTIONS: Final = (
    *SHARED,
    ("grpc.service_config", json.dumps(SERVICE_CONFIG)),
    ("grpc.keepalive_time_ms", KEEPALIVE_SECONDS * 1000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    # What another channel of this process learnt of the address, perhaps before a service came up there, is old news.
    ("grpc.use_local_subchannel_pool", 1),
)


def channel(address: str) -> grpc.aio.Channel:
    """Return a channel to `address` (host:port, or a name with several addresses); it connects at the first call."""
    return grpc.aio.insecure_channel(address, options=OPTIONS)


async def call(method: Callable[..., Awaitable[Response]], request: Any, timeout_seconds: float) -> Response:
    """Return the answer of a stub's `method` to `request`, which is an iterator of requests where the method takes many.

    It is repeated while the service is unavailable, three times within a second. Raises what the service raised (a
    CallerError with its field), Unavailable if there is no answer in time, RemoteFault if the service has a bug.
    """
    with _calling(method, timeout_seconds) as sent:
        return await method(request, timeout=sent.timeout_seconds, metadata=sent.metadata)


async def stream(
    method: Callable[..., AsyncIterable[Response]], request: Any, timeout_seconds: float | None
) -> AsyncIterator[Response]:
    """Yield the answers of a stub's `method`; None waits for ever. Raises as `call` does, also between two answers.

    A service that stops ends its streams with Unavailable: a watch is resumed after the revision seen last.
    """
    with _calling(method, timeout_seconds) as sent:
        answers = method(request, timeout=sent.timeout_seconds, metadata=sent.metadata)
        try:
            async for answer in answers:
                yield answer
        finally:
            answers.cancel()  # type: ignore[attr-defined]  # a call of grpc.aio, which has no types


@dataclass(frozen=True, slots=True)
class _Sent:
    """What goes with a request."""

    timeout_seconds: float | None
    metadata: tuple[tuple[str, str], ...]


@contextmanager
def _calling(method: object, timeout_seconds: float | None) -> Iterator[_Sent]:
    """Give the call its span, its deadline and its metadata, and translate how it fails."""
    name = _name(method)
    # Not made the current one: in a stream it would stay so for whoever reads the stream.
    span = tracing.tracer().start_span(spans.RPC_CALL, kind=SpanKind.CLIENT, attributes={"rpc.method": name})
    headers = tracing.inject(trace.set_span_in_context(span))
    metadata = (*headers.items(), (call_context.REQUEST_ID_KEY, call_context.request_id()))
    try:
        yield _Sent(call_context.time_left(timeout_seconds), metadata)
    except grpc.aio.AioRpcError as error:
        span.set_status(Status(StatusCode.ERROR, error.code().name))
        raise from_rpc_error(error, name) from error
    finally:
        span.end()


def _name(method: object) -> str:
    """Return "RunService/GetRun" for a stub's method. grpc.aio keeps it to itself; the worst case is a bare message."""
    path: bytes = getattr(method, "_method", b"")
    return path.decode().rpartition(".")[2] or "the call"
