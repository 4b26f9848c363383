"""GatewayService: lists the registered models, tests them, and completes conversations for callers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from datetime import UTC, datetime

import grpc.aio

from libra.core.access import team_scope
from libra.core.errors import NotFound, Unavailable
from libra.core.spending.budget_ledger import Amount
from libra.core.spending.daily_ceiling import has_ceiling, ledger_id, to_daily_amount
from libra.core.spending.model_price import price_of
from libra.gateway.budget.charge import OVER_BUDGET, is_over_budget
from libra.gateway.completion.job import Patience
from libra.gateway.completion.validation import as_batch, check_request, to_requests
from libra.gateway.components import Components
from libra.gateway.limits.admission_queue import Lane
from libra.gateway.model_tester import ModelTester, check_test
from libra.gateway.provider.streaming.text_relay import Restart
from libra.rpc.paging import page_size
from libra.v1 import gateway_pb2_grpc
from libra.v1.completion_pb2 import Completion
from libra.v1.gateway_pb2 import (
    CompleteRequest,
    CompleteResponse,
    ListModelsRequest,
    ListModelsResponse,
    ModelStatus,
    StreamCompleteRequest,
    StreamCompleteResponse,
    TestModelRequest,
    TestModelResponse,
)
from libra.v1.model_pb2 import MODEL_STATE_PARKED, MODEL_STATE_UNUSABLE, Model, ModelHealth

SCOPE = "models"
"""The list that a page token belongs to."""

CALL_PATIENCE = Patience(max_park_seconds=10.0)
"""A call to a parked model waits for the next probe, then raises Unavailable with the reason: its caller comes again,
as after any outage, so that a judge model that recovers leaves no trial unjudged."""


class GatewayService(gateway_pb2_grpc.GatewayServiceServicer):
    """Uses the same components as the stage. Calls are admitted before batches, unless they are `patient`."""

    def __init__(self, components: Components) -> None:
        self._components = components
        self._tester = ModelTester(components)

    async def ListModels(self, request: ListModelsRequest, context: grpc.aio.ServicerContext) -> ListModelsResponse:
        """Return a page of the registered models, with the problem that prevents the use of each, if any."""
        await self._components.adjustments.refresh()
        size = page_size(request.page_size, default=500, maximum=1000)
        tokens, scope = self._components.page_tokens, f"{SCOPE}/{request.name}"
        after = await tokens.decode(request.page_token, scope)
        models = [model for model in await self._components.models.list() if model.name > after]
        if request.name:
            models = [model for model in models if model.name == request.name]
        token = await tokens.encode(models[size - 1].name, scope) if len(models) > size else ""
        reported = await self._components.health.list()
        health = {name: each.health for name, each in reported.items()}
        statuses = [self._status(model, health.get(model.name)) for model in models[:size]]
        await self._add_spending(statuses)
        return ListModelsResponse(models=statuses, next_page_token=token)

    async def Complete(self, request: CompleteRequest, context: grpc.aio.ServicerContext) -> CompleteResponse:
        """Return one completion for each conversation, in order."""
        check_request(request)
        model = await self._components.models.get(request.model, field="model")
        lane = Lane.BATCH if request.patient else Lane.INTERACTIVE
        requests = to_requests(request, model)
        if request.budget_run:
            await self._check_payer(request.budget_run)
        account = self._components.budgets.of(request.budget_run) if request.budget_run else None
        completions = await self._components.completer.complete(requests, lane, patience=CALL_PATIENCE, account=account)
        if account is not None and any(map(is_over_budget, completions)):
            raise Unavailable(OVER_BUDGET)
        return CompleteResponse(completions=completions)

    async def StreamComplete(
        self, request: StreamCompleteRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[StreamCompleteResponse]:
        """Send the text of one answer while it arrives, then the completion."""
        batch = as_batch(request)
        check_request(batch)
        model = await self._components.models.get(request.model, field="model")
        [single] = to_requests(batch, model)
        has_text = False
        parts = self._components.completer.stream(single, Lane.INTERACTIVE, patience=CALL_PATIENCE)
        async with aclosing(parts):
            async for part in parts:
                if isinstance(part, Completion) and part.text and not has_text:
                    yield StreamCompleteResponse(text=part.text)
                has_text = isinstance(part, str)
                yield _stream_response(part)

    async def TestModel(self, request: TestModelRequest, context: grpc.aio.ServicerContext) -> TestModelResponse:
        """Ask a model one question, past the store; return what was sent and what came back."""
        check_test(request)
        await self._components.models.list()  # a model that was registered again is tested as it is now
        return await self._tester.test(await self._components.models.get(request.model, field="model"), request)

    async def _check_payer(self, run: str) -> None:
        """Raise NotFound or PermissionDenied unless the caller's team may spend the budget of a run."""
        if team_scope.current() is None:
            return
        record = await self._components.runs.get(run)
        if record is None:
            raise NotFound.run(run, field="budget_run")
        team_scope.require_change(record.run.team, f"the run {run}")

    async def _add_spending(self, statuses: Sequence[ModelStatus]) -> None:
        """Add what was spent today on each model with a ceiling."""
        now = datetime.now(UTC)
        limited = {ledger_id(each.model.name, now): each for each in statuses if has_ceiling(each.model)}
        ledgers = await self._components.ceiling_ledgers.get_many(list(limited)) if limited else {}
        for day, status in limited.items():
            ledger = ledgers.get(day)
            status.health.spent_today.CopyFrom(to_daily_amount(ledger.settled if ledger else Amount()))
            status.health.reserved_today.CopyFrom(to_daily_amount(ledger.reserved if ledger else Amount()))

    def _status(self, model: Model, health: ModelHealth | None) -> ModelStatus:
        components = self._components
        status = ModelStatus(
            model=model,
            problem=components.providers.problem_of(model),
            in_flight=components.channels.in_flight(model.name),
            adjustments=components.adjustments.of(model).list(),
            price=price_of(model),
        )
        if health is not None:
            status.health.CopyFrom(health)
        if status.problem and health is not None and health.state != MODEL_STATE_PARKED:
            status.health.state, status.health.error = MODEL_STATE_UNUSABLE, status.problem
        return status


def _stream_response(part: str | Restart | Completion) -> StreamCompleteResponse:
    if isinstance(part, str):
        return StreamCompleteResponse(text=part)
    if isinstance(part, Completion):
        return StreamCompleteResponse(completion=part)
    return StreamCompleteResponse(restart=True)
