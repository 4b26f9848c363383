"""GatewayService: which models there are, and answers to those who wait for them."""

from __future__ import annotations

import grpc.aio

from libra.gateway.completion.validation import check, questions
from libra.gateway.components import Components
from libra.gateway.limits.limiter import Lane
from libra.v1 import gateway_pb2_grpc
from libra.v1.gateway_pb2 import (
    CompleteRequest,
    CompleteResponse,
    ListModelsRequest,
    ListModelsResponse,
    ModelStatus,
)


class GatewayService(gateway_pb2_grpc.GatewayServiceServicer):
    """Answers from the same desk as the stage, ahead of its batches unless the caller is patient."""

    def __init__(self, desk: Components) -> None:
        self._desk = desk

    async def ListModels(self, request: ListModelsRequest, context: grpc.aio.ServicerContext) -> ListModelsResponse:
        """Return every registered model, and what keeps it from being asked."""
        desk = self._desk
        statuses = [
            ModelStatus(
                model=model,
                problem=desk.providers.problem_of(model),
                in_flight=desk.lines.in_flight(model.name),
            )
            for model in await desk.entries.list()
        ]
        return ListModelsResponse(models=statuses)

    async def Complete(self, request: CompleteRequest, context: grpc.aio.ServicerContext) -> CompleteResponse:
        """Return one completion for each conversation, in their order."""
        check(request)
        model = await self._desk.entries.get(request.model, field="model")
        asked = questions(request, model)
        lane = Lane.BATCH if request.patient else Lane.INTERACTIVE
        return CompleteResponse(completions=await self._desk.completions.answer(asked, lane))
