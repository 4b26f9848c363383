"""Call other services: one channel per address, a deadline for every call, every failure as a Libra error."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import grpc.aio
from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode

from libra.core.access import team_scope
from libra.core.sealed import sealing
from libra.rpc import call_context
from libra.rpc.channel_options import COMMON_OPTIONS, KEEPALIVE_SECONDS
from libra.rpc.credential_channel import CredentialChannel, Credentials
from libra.rpc.errors import from_rpc_error
from libra.telemetry import spans, tracing

Response = TypeVar("Response")
Metadata = tuple[tuple[str, str], ...]
"""Pairs of key and value that are sent with a call."""

SERVICE_CONFIG: Final = {
    "loadBalancingConfig": [{"round_robin": {}}],
    # Replicas that report NOT_SERVING get no calls.
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
    *COMMON_OPTIONS,
    ("grpc.service_config", json.dumps(SERVICE_CONFIG)),
    ("grpc.keepalive_time_ms", KEEPALIVE_SECONDS * 1000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    # Not shared between channels: a failure that another channel saw, perhaps before the service started, would be
    # reused.
    ("grpc.use_local_subchannel_pool", 1),
)


def channel(address: str, credentials: Credentials | None = None) -> grpc.aio.Channel:
    """Return a channel to `address` (host:port, or a name with several addresses); it connects on the first call.

    Without credentials it is in plain text. Raises Invalid for TLS files that cannot be used.
    """
    if credentials is not None:
        return CredentialChannel(address, credentials, OPTIONS)
    return grpc.aio.insecure_channel(address, options=OPTIONS)


async def call(
    method: Callable[..., Awaitable[Response]], request: Any, timeout_seconds: float, *, metadata: Metadata = ()
) -> Response:
    """Return the reply of a stub's `method` to `request` (an iterator of requests for a client stream).

    `metadata` is sent beside Libra's own. While the service is unavailable the call is retried, three times within a
    second.

    Raises:
        CallerError: the service refused the request; `field` names the part at fault.
        Unavailable: there was no reply in time.
        RemoteFault: the service failed on a bug.
    """
    with _client_span(method, timeout_seconds, metadata) as options:
        return await method(request, timeout=options.timeout_seconds, metadata=options.metadata)


async def stream(
    method: Callable[..., AsyncIterable[Response]],
    request: Any,
    timeout_seconds: float | None,
    *,
    metadata: Metadata = (),
) -> AsyncGenerator[Response, None]:
    """Yield the replies of a stub's `method`; a timeout of None waits without limit. Raises as `call` does.

    A service that stops ends its streams with Unavailable; resume a watch after the last revision that was seen.
    """
    with _client_span(method, timeout_seconds, metadata) as options:
        replies: Any = method(request, timeout=options.timeout_seconds, metadata=options.metadata)
        try:
            async for reply in replies:
                yield reply
        finally:
            replies.cancel()


@dataclass(frozen=True, slots=True)
class CallOptions:
    """The timeout and metadata of one call."""

    timeout_seconds: float | None
    metadata: Metadata


@contextmanager
def _client_span(method: object, timeout_seconds: float | None, own_metadata: Metadata) -> Iterator[CallOptions]:
    """Start the call's span, yield its options, and translate its failure."""
    name = _method_name(method)
    # Not made the current span: in a stream it would stay current for the reader of the stream.
    span = tracing.tracer().start_span(spans.RPC_CALL, kind=SpanKind.CLIENT, attributes={"rpc.method": name})
    headers = tracing.inject(trace.set_span_in_context(span))
    metadata = (*own_metadata, *headers.items(), (call_context.REQUEST_ID_KEY, call_context.request_id()))
    if sealing.is_sealed():
        metadata = (*metadata, (call_context.SEALED_KEY, "1"))
    if (team := team_scope.current()) is not None:
        metadata = (*metadata, (call_context.TEAM_KEY, team))
    try:
        yield CallOptions(call_context.time_left(timeout_seconds), metadata)
    except grpc.aio.AioRpcError as error:
        span.set_status(Status(StatusCode.ERROR, error.code().name))
        raise from_rpc_error(error, name) from error
    finally:
        span.end()


def _method_name(method: object) -> str:
    """Return "RunService/GetRun" for a stub's method; "the call" if grpc.aio, where the name is private, hides it."""
    path: bytes = getattr(method, "_method", b"")
    return path.decode().rpartition(".")[2] or "the call"
