"""A fake gateway over real gRPC that serves one judge model: a function of the prompt gives the replies."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import grpc.aio
from prometheus_client import CollectorRegistry

from libra.core.errors import NotFound
from libra.rpc.server import RpcServer
from libra.telemetry.metrics import Metrics
from libra.v1.completion_pb2 import Completion, FinishReason
from libra.v1.gateway_pb2 import (
    CompleteRequest,
    CompleteResponse,
    ListModelsRequest,
    ListModelsResponse,
    StreamCompleteRequest,
    StreamCompleteResponse,
    TestModelRequest,
    TestModelResponse,
)
from libra.v1.gateway_pb2_grpc import GatewayServiceServicer, add_GatewayServiceServicer_to_server

NAME = "judge-1"


@dataclass
class FakeGateway(GatewayServiceServicer):
    """Implements GatewayService for the one model, and records the requests."""

    reply: Callable[[str], Completion]
    requests: list[CompleteRequest] = field(default_factory=list)

    async def ListModels(self, request: ListModelsRequest, context: grpc.aio.ServicerContext) -> ListModelsResponse:
        return ListModelsResponse()

    async def StreamComplete(
        self, request: StreamCompleteRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[StreamCompleteResponse]:
        yield StreamCompleteResponse()

    async def Complete(self, request: CompleteRequest, context: grpc.aio.ServicerContext) -> CompleteResponse:
        if request.model != NAME:
            raise NotFound.named("model", request.model, [NAME], field="model")
        self.requests.append(request)
        prompts = [conversation.messages[-1].content for conversation in request.conversations]
        return CompleteResponse(completions=[self.reply(prompt) for prompt in prompts])

    async def TestModel(self, request: TestModelRequest, context: grpc.aio.ServicerContext) -> TestModelResponse:
        return TestModelResponse()


def scored(score: float) -> Completion:
    text = json.dumps({"reason": "so it seems", "score": score})
    return Completion(text=text, finish_reason=FinishReason.FINISH_REASON_STOP)


@asynccontextmanager
async def served(model: FakeGateway, address: str = "127.0.0.1:0") -> AsyncIterator[str]:
    """Serve the gateway and yield its address."""
    services = [(add_GatewayServiceServicer_to_server, model, "libra.v1.GatewayService")]
    server = RpcServer(services, Metrics(CollectorRegistry()))
    port = await server.start(address)
    await server.set_ready(ready=True)
    yield f"127.0.0.1:{port}"
    await server.stop(0)
