"""ModelService: register, read and delete models."""

from __future__ import annotations

import contextlib

import grpc.aio
import structlog

from libra.bus.nats_bus import NatsBus
from libra.core.errors import FailedPrecondition, NotFound, Unavailable
from libra.dispatch.model_validation import check_model
from libra.store.client import Store
from libra.telemetry.log_actions import Action
from libra.v1 import model_pb2_grpc
from libra.v1.model_pb2 import (
    CreateModelRequest,
    CreateModelResponse,
    DeleteModelRequest,
    DeleteModelResponse,
    GetModelRequest,
    GetModelResponse,
    Model,
)

log = structlog.get_logger(__name__)


class ModelService(model_pb2_grpc.ModelServiceServicer):
    """Maintains the registry of models; it never receives an API key."""

    def __init__(self, store: Store, bus: NatsBus) -> None:
        self._store, self._bus = store, bus

    async def CreateModel(self, request: CreateModelRequest, context: grpc.aio.ServicerContext) -> CreateModelResponse:
        """Register a model; a repeat with the same content changes nothing."""
        check_model(request.model)
        model = await self._store.models.add(request.model)
        log.info("a model was registered", action=Action.MODEL_REGISTERED, model=model.name)
        return CreateModelResponse(model=model)

    async def GetModel(self, request: GetModelRequest, context: grpc.aio.ServicerContext) -> GetModelResponse:
        """Return one model."""
        return GetModelResponse(model=await self._model(request.name))

    async def DeleteModel(self, request: DeleteModelRequest, context: grpc.aio.ServicerContext) -> DeleteModelResponse:
        """Delete a model that no running run uses."""
        model = await self._model(request.name)
        for record in await self._store.runs.list_running():
            spec = record.run.spec
            if model.name in spec.models or model.name == spec.judge_model:
                raise FailedPrecondition(
                    f"{model.name} is in use by the run {record.run.id}; wait for its end or cancel it", field="name"
                )
        await self._store.models.delete(model.name)
        # The queue may hold batches of cancelled runs. If it is unavailable, the gateway drops them later.
        with contextlib.suppress(Unavailable):
            await self._bus.purge_model(model.name)
        log.info("a model was deleted", action=Action.MODEL_FORGOTTEN, model=model.name)
        return DeleteModelResponse()

    async def _model(self, name: str) -> Model:
        model = await self._store.models.get(name)
        if model is None:
            names = [registered.name for registered in await self._store.models.list()]
            raise NotFound.named("model", name, names, field="name")
        return model
