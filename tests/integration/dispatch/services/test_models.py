"""Register models, and delete those that no run uses."""

from __future__ import annotations

import pytest

from libra.core.errors import Conflict, FailedPrecondition, Invalid, NotFound
from libra.rpc.client import call
from libra.v1.model_pb2 import CreateModelRequest, DeleteModelRequest, GetModelRequest, Model, Provider
from libra.v1.run_pb2 import CancelRunRequest

from .caller import SECONDS, Dispatch


async def test_a_model_is_registered_once_and_deleted_if_no_run_uses_it(dispatch: Dispatch) -> None:
    await dispatch.import_task()
    model = Model(name="mine", provider=Provider.PROVIDER_OPENAI, base_url="http://localhost:1/v1", api_key_env="KEY")
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
