"""Register models, and delete those that no run uses."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from libra.core.errors import Conflict, FailedPrecondition, Invalid, NotFound
from libra.core.spending.budget_ledger import Ledger, amount
from libra.core.spending.daily_ceiling import ledger_id
from libra.rpc.client import call
from libra.v1.model_pb2 import (
    CreateModelRequest,
    DailyAmount,
    DeleteModelRequest,
    GetModelRequest,
    Model,
    ModelLimits,
    ModelPrice,
    Provider,
    UpdateModelRequest,
)
from libra.v1.run_pb2 import CancelRunRequest

from .caller import SECONDS, Dispatch


async def test_a_model_is_registered_once_and_deleted_if_no_run_uses_it(dispatch: Dispatch) -> None:
    await dispatch.import_task()
    model = Model(
        name="mine", provider=Provider.PROVIDER_OPENAI, base_url="http://localhost:1/v1", api_key_env="MY_API_KEY"
    )
    first = (await call(dispatch.models.CreateModel, CreateModelRequest(model=model), SECONDS)).model
    assert (await call(dispatch.models.CreateModel, CreateModelRequest(model=model), SECONDS)).model == first
    changed = Model(name="mine", provider=Provider.PROVIDER_OPENAI, base_url="http://localhost:2/v1")
    with pytest.raises(Conflict, match="another content"):
        await call(dispatch.models.CreateModel, CreateModelRequest(model=changed), SECONDS)
    keyed = Model(name="m", provider=Provider.PROVIDER_OPENAI, base_url="http://localhost:2/v1", api_key_env="sk-1")
    with pytest.raises(Invalid, match="never a key itself"):
        await call(dispatch.models.CreateModel, CreateModelRequest(model=keyed), SECONDS)
    run = (await dispatch.create(models=["mine"])).run
    with pytest.raises(FailedPrecondition, match=run.id):
        await call(dispatch.models.DeleteModel, DeleteModelRequest(name="mine"), SECONDS)
    await call(dispatch.runs.CancelRun, CancelRunRequest(id=run.id), SECONDS)
    await call(dispatch.models.DeleteModel, DeleteModelRequest(name="mine"), SECONDS)
    with pytest.raises(NotFound):
        await call(dispatch.models.GetModel, GetModelRequest(name="mine"), SECONDS)


@pytest.mark.parametrize("role", ["judge_model", "attack_model"])
async def test_a_model_that_helps_a_running_run_is_not_deleted(dispatch: Dispatch, role: str) -> None:
    await dispatch.import_task()
    for name in ("mine", "helper"):
        model = Model(name=name, provider=Provider.PROVIDER_OPENAI, base_url="http://localhost:1/v1")
        await call(dispatch.models.CreateModel, CreateModelRequest(model=model), SECONDS)
    run = (await dispatch.create(models=["mine"], **{role: "helper"})).run
    with pytest.raises(FailedPrecondition, match=run.id):
        await call(dispatch.models.DeleteModel, DeleteModelRequest(name="helper"), SECONDS)


def entry(**fields: Any) -> Model:
    return Model(name="mine", provider=Provider.PROVIDER_OPENAI, base_url="http://localhost:1/v1", **fields)


async def update(dispatch: Dispatch, **fields: Any) -> Model:
    request = UpdateModelRequest(name="mine", **fields)
    changed: Model = (await call(dispatch.models.UpdateModel, request, SECONDS)).model
    return changed


async def test_limits_and_ceilings_change_and_the_rest_stays(dispatch: Dispatch) -> None:
    model = entry(limits=ModelLimits(max_in_flight=4, requests_per_minute=60))
    await call(dispatch.models.CreateModel, CreateModelRequest(model=model), SECONDS)
    changed = await update(dispatch, max_in_flight=32, ceiling_tokens=1_000)
    assert changed.limits == ModelLimits(max_in_flight=32, requests_per_minute=60)
    assert changed.ceiling == DailyAmount(tokens=1_000)
    assert (await update(dispatch, requests_per_minute=0)).limits.requests_per_minute == 0
    assert (
        await call(dispatch.models.GetModel, GetModelRequest(name="mine"), SECONDS)
    ).model.base_url == model.base_url


async def test_a_higher_ceiling_holds_for_today_and_opens_the_model(dispatch: Dispatch) -> None:
    model = entry(ceiling=DailyAmount(requests=5))
    await call(dispatch.models.CreateModel, CreateModelRequest(model=model), SECONDS)
    store, today = dispatch.store, ledger_id("mine", datetime.now(UTC))
    await store.ceilings.add(today, Ledger(amount(requests=5), exhausted=True))
    await store.parked_models.park("mine", "ceiling", "reached", 3_600)
    await update(dispatch, ceiling_requests=9)
    ledger = await store.ceilings.get(today)
    assert ledger
    assert (ledger.limit.requests, ledger.exhausted) == (9, False)
    assert not await store.parked_models.list()
    await store.parked_models.park("mine", "key", "wrong key", 3_600)
    await update(dispatch, ceiling_requests=10)
    assert "mine" in await store.parked_models.list()


async def test_a_change_that_cannot_be_kept_changes_nothing(dispatch: Dispatch) -> None:
    unpriced = entry(ceiling=DailyAmount(usd=5))
    with pytest.raises(Invalid, match=r"the price of the model, and that of mine is not known"):
        await call(dispatch.models.CreateModel, CreateModelRequest(model=unpriced), SECONDS)
    await call(dispatch.models.CreateModel, CreateModelRequest(model=entry()), SECONDS)
    for fields, words in (
        ({"ceiling_usd": 5.0}, "not known"),
        ({"max_in_flight": -1}, "must be 0 or more"),
        ({}, "at least one"),
        ({"ceiling_usd": float("nan")}, "must be 0 or more"),
    ):
        with pytest.raises(Invalid, match=words):
            await update(dispatch, **fields)
    with pytest.raises(NotFound, match="mine"):
        await call(dispatch.models.UpdateModel, UpdateModelRequest(name="mien", max_in_flight=1), SECONDS)
    assert (await call(dispatch.models.GetModel, GetModelRequest(name="mine"), SECONDS)).model.limits == ModelLimits()


async def test_a_ceiling_in_dollars_needs_a_price(dispatch: Dispatch) -> None:
    model = entry(ceiling=DailyAmount(usd=5), price=ModelPrice(usd_per_million_prompt_tokens=1))
    stored = (await call(dispatch.models.CreateModel, CreateModelRequest(model=model), SECONDS)).model
    assert stored.ceiling.usd == 5
