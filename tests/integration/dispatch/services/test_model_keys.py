"""Registration: URLs in canonical form, allowed addresses, and keys that are bound to their first host."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from libra.core.errors import CallerError, FailedPrecondition, Invalid
from libra.dispatch import bootstrap
from libra.dispatch.models.registration import ModelRegistration
from libra.dispatch.settings import Settings
from libra.rpc.client import call
from libra.v1.model_pb2 import CreateModelRequest, DeleteModelRequest, Model, Provider, RequestOptions

from .caller import SECONDS, Dispatch


async def register(dispatch: Dispatch, name: str, url: str, **fields: Any) -> Model:
    model = Model(name=name, provider=Provider.PROVIDER_OPENAI, base_url=url, **fields)
    stored: Model = (await call(dispatch.models.CreateModel, CreateModelRequest(model=model), SECONDS)).model
    return stored


async def test_a_url_that_was_copied_is_stored_as_base_url_and_query(dispatch: Dispatch) -> None:
    url = "HTTPS://API.Example.com:443/v1/chat/completions?api-version=1"
    stored = await register(dispatch, "m", url)
    assert stored.base_url == "https://api.example.com/v1"
    assert dict(stored.options.query) == {"api-version": "1"}
    assert await register(dispatch, "m", "https://api.example.com/v1/?api-version=1") == stored


@pytest.mark.parametrize("host", ["10.0.0.1", "0xa000001", "metadata.google.internal", "[::ffff:169.254.169.254]"])
async def test_a_model_at_a_refused_address_is_not_registered(dispatch: Dispatch, host: str) -> None:
    with pytest.raises(Invalid) as caught:
        await register(dispatch, "m", f"http://{host}/v1")
    assert caught.value.field == "model.base_url"


async def test_a_key_cannot_be_stolen_with_another_host_also_after_the_model_is_deleted(dispatch: Dispatch) -> None:
    await register(dispatch, "first", "https://api.example.com/v1", api_key_env="A_API_KEY")
    await register(dispatch, "second", "https://api.example.com:8443/v2", api_key_env="A_API_KEY")
    for name in ("first", "second"):
        await call(dispatch.models.DeleteModel, DeleteModelRequest(name=name), SECONDS)
    for url in ("https://evil.example/v1", "http://api.example.com/v1", "https://api.example.com.evil.example"):
        with pytest.raises(FailedPrecondition, match=r"A_API_KEY is bound to https://api\.example\.com") as caught:
            await register(dispatch, "thief", url, api_key_env="A_API_KEY")
        assert caught.value.field == "model.api_key_env"
        assert "LIBRA_GATEWAY_KEY_HOSTS" in caught.value.message
    options = RequestOptions(header_variables={"x-key": "A_API_KEY"})
    with pytest.raises(FailedPrecondition) as caught:
        await register(dispatch, "thief", "https://evil.example/v1", options=options)
    assert caught.value.field == "model.options.header_variables"
    await register(dispatch, "first", "https://api.example.com/v1", api_key_env="A_API_KEY")


async def test_a_key_file_is_bound_like_a_variable_and_is_another_source(dispatch: Dispatch) -> None:
    await register(dispatch, "variable", "https://a.example", api_key_env="B_API_KEY")
    await register(dispatch, "file", "https://b.example", api_key_file="B_API_KEY")
    with pytest.raises(FailedPrecondition, match="the key file B_API_KEY") as caught:
        await register(dispatch, "thief", "https://a.example", api_key_file="B_API_KEY")
    assert caught.value.field == "model.api_key_file"


@pytest.mark.parametrize("name", ["DATABASE_PASSWORD", "LIBRA_MONGO_URL", "AWS_SECRET_ACCESS_KEY"])
async def test_a_variable_outside_the_allow_list_is_refused(dispatch: Dispatch, name: str) -> None:
    with pytest.raises(Invalid, match=f"{name} cannot hold an API key") as caught:
        await register(dispatch, "m", "https://a.example", api_key_env=name)
    assert caught.value.field == "model.api_key_env"


async def test_of_two_registrations_at_the_same_time_one_gets_the_key(dispatch: Dispatch) -> None:
    results = await asyncio.gather(
        *(register(dispatch, f"m{n}", f"https://{n}.example", api_key_env="C_API_KEY") for n in range(8)),
        return_exceptions=True,
    )
    assert sum(isinstance(result, Model) for result in results) == 1
    assert sum(isinstance(result, CallerError) for result in results) == 7


async def test_keys_of_models_that_are_registered_already_are_bound_at_the_start(dispatch: Dispatch) -> None:
    store = dispatch.store
    for name, url in (("old", "https://old.example/v1"), ("new", "https://new.example/v1")):
        model = Model(name=name, provider=Provider.PROVIDER_OPENAI, base_url=url, api_key_env="D_API_KEY")
        await store.models.add(model)
        await asyncio.sleep(0.005)
    settings = Settings()
    await bootstrap.prepare(store, ModelRegistration(settings.address_policy(), settings.key_rules(), store.key_hosts))
    assert await store.key_hosts.bind("variable:D_API_KEY", "https://x") == "https://old.example"
