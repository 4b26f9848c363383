"""A key is sent to the host that it is bound to, and to no other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from libra.gateway.components import Components
from libra.store.client import Store
from libra.telemetry.metrics import Metrics
from libra.testing.scripted_provider import refuses
from libra.v1.model_pb2 import Model, RequestOptions

from .endpoint import ERROR, FAST, KEY, STOP, Endpoint, ask, model_of, one

SECOND = "sk-second-5d1c9e77aa20"


@pytest.fixture
async def with_files(store: Store, tmp_path: Path) -> AsyncIterator[Components]:
    (tmp_path / "team").write_text(f"{KEY}\n")
    settings = replace(FAST, key_folder=str(tmp_path))
    made = Components.create(store, Metrics(CollectorRegistry()), settings, {"SECOND_API_KEY": SECOND})
    yield made
    await made.close(0)


def elsewhere(endpoint: Endpoint, **fields: str) -> Model:
    """Return a model at the same endpoint under another host name."""
    model = model_of(endpoint)
    model.name = "thief"
    model.base_url = endpoint.url.replace("127.0.0.1", "localhost")
    for name, value in fields.items():
        setattr(model, name, value)
    return model


async def test_a_key_that_is_bound_elsewhere_is_not_sent(
    components: Components, endpoint: Endpoint, store: Store
) -> None:
    assert await store.key_hosts.bind("variable:TEST_API_KEY", "http://127.0.0.1") == "http://127.0.0.1"
    completion = await one(components, elsewhere(endpoint))
    assert (completion.finish_reason, completion.attempts, endpoint.count) == (ERROR, 1, 0)
    assert "TEST_API_KEY is bound to http://127.0.0.1 and is not sent to http://localhost" in completion.error
    assert (await one(components, model_of(endpoint))).finish_reason == STOP


async def test_a_model_without_a_binding_binds_its_key_at_the_first_use(
    components: Components, endpoint: Endpoint, store: Store
) -> None:
    assert (await one(components, model_of(endpoint))).finish_reason == STOP
    assert await store.key_hosts.bind("variable:TEST_API_KEY", "http://other") == "http://127.0.0.1"
    assert (await one(components, elsewhere(endpoint))).finish_reason == ERROR


async def test_a_key_file_is_sent_bound_and_masked(with_files: Components, endpoint: Endpoint, store: Store) -> None:
    model = model_of(endpoint)
    model.api_key_env, model.api_key_file = "", "team"
    assert (await one(with_files, model)).finish_reason == STOP
    assert endpoint.provider.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert await store.key_hosts.bind("file:team", "http://other") == "http://127.0.0.1"
    endpoint.play(refuses(401, message=f"bad key {KEY}"))
    (completion,) = await ask(with_files, model, "again")
    assert "bad key [key]" in completion.error
    assert "check the file team of the gateway" in completion.error


async def test_header_variables_are_sent_bound_and_masked(with_files: Components, endpoint: Endpoint) -> None:
    model = model_of(endpoint)
    model.api_key_env = ""
    model.options.CopyFrom(RequestOptions(header_variables={"X-Team-Key": "SECOND_API_KEY"}, headers={"X-Team": "a"}))
    endpoint.play(refuses(400, message=f"no such team {SECOND}"))
    completion = await one(with_files, model)
    headers = endpoint.provider.requests[0].headers
    assert (headers["x-team-key"], headers["x-team"]) == (SECOND, "a")
    assert "no such team [key]" in completion.error
    thief = elsewhere(endpoint, api_key_env="")
    thief.options.CopyFrom(model.options)
    completion = await one(with_files, thief)
    assert "SECOND_API_KEY is bound to" in completion.error
    assert endpoint.count == 1
