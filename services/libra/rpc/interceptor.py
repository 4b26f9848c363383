"""Put every call of Libra's own services through `call_scope`; health and reflection pass by."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import grpc.aio
from google.protobuf.message import DecodeError, Message

from libra.errors import Invalid
from libra.rpc.call_scope import call_scope
from libra.rpc.channel_options import MAX_MESSAGE_BYTES
from libra.telemetry.metrics import Metrics

OURS = "/libra."

Continuation = Callable[[grpc.HandlerCallDetails], Awaitable[Any]]


class Interceptor(grpc.aio.ServerInterceptor):
    """Wraps each handler in one of its own shape: one or many requests, one or many answers."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    async def intercept_service(self, continuation: Continuation, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """Return the handler that gRPC is to run; None if nobody has such a method."""
        handler = await continuation(handler_call_details)
        if handler is None or not handler_call_details.method.startswith(OURS):
            return handler
        method = handler_call_details.method.rpartition(".")[2]
        return wrapped(handler, method, self._metrics)


@dataclass(frozen=True, slots=True)
class Undecodable:
    """What came instead of a message. It is passed on as if it were one, so that it is answered where errors are."""

    reason: str


def wrapped(handler: Any, method: str, metrics: Metrics) -> Any:
    """Return `handler` with its decoding and encoding inside of the exchange."""
    decode = _decoder(handler.request_deserializer)
    encode = _encoder(handler.response_serializer)

    async def one(request: Any, context: grpc.aio.ServicerContext) -> bytes:
        async with call_scope(method, context, metrics):
            answer = await (handler.stream_unary or handler.unary_unary)(_checked(request), context)
            return encode(answer)

    async def many(request: Any, context: grpc.aio.ServicerContext) -> AsyncIterator[bytes]:
        async with call_scope(method, context, metrics):
            answers = (handler.stream_stream or handler.unary_stream)(_checked(request), context)
            async with aclosing(answers):
                async for answer in answers:
                    yield encode(answer)

    make = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }[handler.request_streaming, handler.response_streaming]
    return make(many if handler.response_streaming else one, request_deserializer=decode)


def _decoder(decode: Callable[[bytes], Message]) -> Callable[[bytes], Message | Undecodable]:
    def decoded(data: bytes) -> Message | Undecodable:
        try:
            return decode(data)
        except DecodeError as error:
            return Undecodable(str(error))

    return decoded


def _encoder(encode: Callable[[Message], bytes]) -> Callable[[Message], bytes]:
    def encoded(answer: Message) -> bytes:
        data = encode(answer)
        if len(data) > MAX_MESSAGE_BYTES:
            raise Invalid(
                f"the answer has {len(data):,} bytes and {MAX_MESSAGE_BYTES:,} can be sent; ask for a smaller page",
                field="page_size",
            )
        return data

    return encoded


def _checked(request: Any) -> Any:
    """Return the request, or the iterator of them, as the handler is to see it; Invalid if it is no message."""
    if isinstance(request, Undecodable):
        raise Invalid(f"the request is no message of this method ({request.reason}); is the client of another version?")
    return request if isinstance(request, Message) else _each_checked(request)


async def _each_checked(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for request in requests:
        yield _checked(request)
