"""A provider's API key: read when it is needed, and shown nowhere."""

from __future__ import annotations

import asyncio
import itertools
import logging
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry

from libra.gateway.components import Components
from libra.store.client import Store
from libra.telemetry.metrics import Metrics
from libra.testing.scripted_provider import Behaviour, ReceivedRequest, refuses, says

from .endpoint import ERROR, FAST, KEY, STOP, Endpoint, answers, ask, model_of, one


async def test_a_missing_key_is_reported_by_the_name_of_its_variable(store: Store, endpoint: Endpoint) -> None:
    environment: dict[str, str] = {}
    settings = replace(FAST, park_probe_seconds=0.01)
    components = Components.create(store, Metrics(CollectorRegistry()), settings, environment)
    completion = await one(components, model_of(endpoint))
    assert (completion.finish_reason, endpoint.count) == (ERROR, 0)
    assert "TEST_API_KEY is not set" in completion.error
    environment["TEST_API_KEY"] = KEY  # read when it is needed: by the next probe
    await asyncio.sleep(0.2)
    assert (await one(components, model_of(endpoint))).finish_reason == STOP
    await components.close(0)


async def test_the_key_is_in_no_log_error_or_document(
    components: Components,
    endpoint: Endpoint,
    store: Store,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)

    def quote_key(asked: ReceivedRequest) -> Behaviour:
        """Quote the key in every field."""
        key = asked.headers["authorization"]
        return says(f"you sent {key}") if asked.prompt == "ok" else refuses(int(asked.prompt), message=key)

    endpoint.follow(quote_key)
    completions = await ask(components, model_of(endpoint), "ok", "400", "401", "404", "429", "500")
    endpoint.play(answers(f"<html>{KEY}</html>".encode()))
    completions += await ask(components, model_of(endpoint), "html")
    everything = [str(each) for each in completions]
    for name in await store._database.list_collection_names():
        everything += [str(document) async for document in store._database[name].find()]
    everything += [caplog.text, *capsys.readouterr()]
    assert "you sent Bearer [key]" in completions[0].text
    assert not any(KEY[start : start + 8] in text for start, text in itertools.product(range(len(KEY) - 7), everything))
