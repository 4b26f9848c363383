"""Run every call of Libra's services inside `call_scope`; health and reflection are left alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc.aio
from google.protobuf.message import DecodeError, Message

from libra.core.errors import Invalid
from libra.rpc.access.guard import Admission, Guard
from libra.rpc.call_scope import call_scope
from libra.rpc.channel_options import MAX_MESSAGE_BYTES
from libra.rpc.encoded_reply import EncodedReply
from libra.telemetry.metrics import Metrics

LIBRA_PREFIX = "/libra."

Continuation = Callable[[grpc.HandlerCallDetails], Awaitable[Any]]


class Interceptor(grpc.aio.ServerInterceptor):
    """Wraps each handler, whether it takes one request or a stream, and returns one reply or a stream."""

    def __init__(self, metrics: Metrics, guard: Guard | None = None) -> None:
        self._metrics, self._guard = metrics, guard

    async def intercept_service(self, continuation: Continuation, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """Return the handler for gRPC to run; None for an unknown method."""
        handler = await continuation(handler_call_details)
        if handler is None or not handler_call_details.method.startswith(LIBRA_PREFIX):
            return handler
        return wrap_handler(handler, handler_call_details.method.removeprefix("/"), self._metrics, self._guard)


@dataclass(frozen=True, slots=True)
class UndecodableRequest:
    """Stands for a request that is not a valid message, so that the error is raised inside `call_scope`."""

    reason: str


def wrap_handler(handler: Any, path: str, metrics: Metrics, guard: Guard | None) -> Any:
    """Return `handler` with decoding and encoding inside `call_scope`, for callers that the guard admits.

    `path` is the full name of the method, "libra.v1.RunService/GetRun".
    """
    method = path.rpartition(".")[2]
    decode = _decoder(handler.request_deserializer)
    encode = _encoder(handler.response_serializer)

    async def one(request: Any, context: grpc.aio.ServicerContext) -> bytes:
        async with call_scope(method, context, metrics), _admitted(guard, path, context, request) as call:
            reply = await (handler.stream_unary or handler.unary_unary)(_checked(call.request), context)
            call.reply = reply.message if isinstance(reply, EncodedReply) else reply
            return encode(reply)

    async def many(request: Any, context: grpc.aio.ServicerContext) -> AsyncIterator[bytes]:
        async with call_scope(method, context, metrics), _admitted(guard, path, context, request) as call:
            replies = (handler.stream_stream or handler.unary_stream)(_checked(call.request), context)
            async with aclosing(replies):
                async for reply in replies:
                    yield encode(reply)

    make = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }[handler.request_streaming, handler.response_streaming]
    return make(many if handler.response_streaming else one, request_deserializer=decode)


@asynccontextmanager
async def _admitted(
    guard: Guard | None, path: str, context: grpc.aio.ServicerContext, request: Any
) -> AsyncIterator[Admission]:
    if guard is None:
        yield Admission(request)
        return
    async with guard.admit(path, context, request) as call:
        yield call


def _decoder(decode: Callable[[bytes], Message]) -> Callable[[bytes], Message | UndecodableRequest]:
    def decoded(data: bytes) -> Message | UndecodableRequest:
        try:
            return decode(data)
        except DecodeError as error:
            return UndecodableRequest(str(error))

    return decoded


def _encoder(encode: Callable[[Message], bytes]) -> Callable[[Message | EncodedReply[Any]], bytes]:
    def encoded(reply: Message | EncodedReply[Any]) -> bytes:
        data = reply.data if isinstance(reply, EncodedReply) else encode(reply)
        if len(data) > MAX_MESSAGE_BYTES:
            raise Invalid(
                f"the reply has {len(data):,} bytes; the limit is {MAX_MESSAGE_BYTES:,}; ask for a smaller page",
                field="page_size",
            )
        return data

    return encoded


def _checked(request: Any) -> Any:
    """Return the request, or the iterator of requests, for the handler; raise Invalid if it is not a valid message."""
    if isinstance(request, UndecodableRequest):
        raise Invalid(
            f"the request is not a valid message of this method ({request.reason}); check the version of the client"
        )
    return request if isinstance(request, Message) else _each_checked(request)


async def _each_checked(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for request in requests:
        yield _checked(request)
