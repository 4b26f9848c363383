"""GatewayService: lists the registered models, and completes conversations for callers."""

from __future__ import annotations

import grpc.aio

from libra.gateway.completion.validation import check_request, to_requests
from libra.gateway.components import Components
from libra.gateway.limits.admission_queue import Lane
from libra.v1 import gateway_pb2_grpc
from libra.v1.gateway_pb2 import (
    CompleteRequest,
    CompleteResponse,
    ListModelsRequest,
    ListModelsResponse,
    ModelStatus,
)


class GatewayService(gateway_pb2_grpc.GatewayServiceServicer):
    """Uses the same components as the stage. Calls are admitted before batches, unless they are `patient`."""

    def __init__(self, components: Components) -> None:
        self._components = components

    async def ListModels(self, request: ListModelsRequest, context: grpc.aio.ServicerContext) -> ListModelsResponse:
        """Return every registered model, with the problem that prevents its use, if any."""
        components = self._components
        statuses = [
            ModelStatus(
                model=model,
                problem=components.providers.problem_of(model),
                in_flight=components.channels.in_flight(model.name),
            )
            for model in await components.models.list()
        ]
        return ListModelsResponse(models=statuses)

    async def Complete(self, request: CompleteRequest, context: grpc.aio.ServicerContext) -> CompleteResponse:
        """Return one completion for each conversation, in order."""
        check_request(request)
        model = await self._components.models.get(request.model, field="model")
        lane = Lane.BATCH if request.patient else Lane.INTERACTIVE
        completions = await self._components.completer.complete(to_requests(request, model), lane)
        return CompleteResponse(completions=completions)
