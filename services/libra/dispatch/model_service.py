"""ModelService: register, read, change and delete models."""

from __future__ import annotations

import contextlib

import grpc.aio
import structlog

from libra.bus.nats_bus import NatsBus
from libra.core.access import team_scope
from libra.core.access.key_rules import KeyRules
from libra.core.errors import FailedPrecondition, NotFound, Unavailable
from libra.core.http.address_policy import AddressPolicy
from libra.dispatch.models.model_change import changed_numbers, check_change, keep_ceiling
from libra.dispatch.models.registration import ModelRegistration
from libra.dispatch.models.urls import with_canonical_url
from libra.dispatch.models.validation import check_model
from libra.store.client import Store
from libra.store.runs import RUNNING, STOPPED
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
    UpdateModelRequest,
    UpdateModelResponse,
)

log = structlog.get_logger(__name__)


class ModelService(model_pb2_grpc.ModelServiceServicer):
    """Maintains the registry of models; it never receives an API key."""

    def __init__(self, store: Store, bus: NatsBus, registration: ModelRegistration | None = None) -> None:
        """Without `registration`, the default rules hold: see `libra.dispatch.settings`."""
        self._store, self._bus = store, bus
        self._registration = registration or ModelRegistration(AddressPolicy(), KeyRules(), store.key_hosts)

    async def CreateModel(self, request: CreateModelRequest, context: grpc.aio.ServicerContext) -> CreateModelResponse:
        """Register a model; a repeat with the same content changes nothing."""
        check_model(request.model)
        model = with_canonical_url(request.model)
        model.team = team_scope.owner_of_new(request.model.team, field="model.team")
        await self._registration.admit(model)
        model = await self._store.models.add(model)
        await keep_ceiling(self._store, model)
        log.info("a model was registered", action=Action.MODEL_REGISTERED, model=model.name)
        return CreateModelResponse(model=model)

    async def GetModel(self, request: GetModelRequest, context: grpc.aio.ServicerContext) -> GetModelResponse:
        """Return one model."""
        return GetModelResponse(model=await self._model(request.name))

    async def UpdateModel(self, request: UpdateModelRequest, context: grpc.aio.ServicerContext) -> UpdateModelResponse:
        """Change limits and the ceiling of a model; gateways notice it within seconds."""
        numbers = changed_numbers(request)
        check_change(await self._changeable(request.name), numbers)
        model = await self._store.models.update(request.name, numbers)
        if model is None:  # it was deleted a moment ago
            model = await self._model(request.name)
        await keep_ceiling(self._store, model)
        log.info("a model was changed", action=Action.MODEL_CHANGED, model=model.name, fields=sorted(numbers))
        return UpdateModelResponse(model=model)

    async def DeleteModel(self, request: DeleteModelRequest, context: grpc.aio.ServicerContext) -> DeleteModelResponse:
        """Delete a model that no run uses that has not ended."""
        model = await self._changeable(request.name)
        for record in await self._store.runs.list_in_states({RUNNING, *STOPPED}):
            spec = record.run.spec
            if model.name in (*spec.models, spec.judge_model, spec.attack_model):
                raise FailedPrecondition(
                    f"{model.name} is in use by the run {record.run.id}; wait for its end or cancel it", field="name"
                )
        await self._store.models.delete(model.name)
        await self._store.adjustments.delete(model.name)
        # The queue may hold batches of cancelled runs. If it is unavailable, the gateway drops them later.
        with contextlib.suppress(Unavailable):
            await self._bus.purge_model(model.name)
        log.info("a model was deleted", action=Action.MODEL_FORGOTTEN, model=model.name)
        return DeleteModelResponse()

    async def _changeable(self, name: str) -> Model:
        model = await self._model(name)
        team_scope.require_change(model.team, f"the model {name}")
        return model

    async def _model(self, name: str) -> Model:
        model = await self._store.models.get(name)
        if model is None:
            names = [registered.name for registered in await self._store.models.list()]
            raise NotFound.named("model", name, names, field="name")
        return model
