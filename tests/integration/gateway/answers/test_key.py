"""The key of a provider: read when it is needed, and shown nowhere."""

from __future__ import annotations

import itertools
import logging

import pytest
from prometheus_client import CollectorRegistry

from libra.gateway.components import Components
from libra.store.client import Store
from libra.telemetry.metrics import Metrics
from libra.testing.scripted_provider import Behaviour, ReceivedRequest, refuses, says

from .endpoint import ERROR, FAST, KEY, STOP, Endpoint, answers, ask, model, one


async def test_a_key_that_is_not_set_is_told_by_its_name(store: Store, endpoint: Endpoint) -> None:
    environment: dict[str, str] = {}
    desk = Components.laid(store, Metrics(CollectorRegistry()), FAST, environment)
    completion = await one(desk, model(endpoint))
    assert (completion.finish_reason, endpoint.count) == (ERROR, 0)
    assert "TEST_KEY is not set" in completion.error
    environment["TEST_KEY"] = KEY  # read when it is needed
    assert (await one(desk, model(endpoint))).finish_reason == STOP
    await desk.close(0)


async def test_the_key_is_in_no_log_error_or_document(
    desk: Components,
    endpoint: Endpoint,
    store: Store,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)

    def gossip(asked: ReceivedRequest) -> Behaviour:
        """Quote the key wherever there is room for it."""
        key = asked.headers["authorization"]
        return says(f"you sent {key}") if asked.prompt == "ok" else refuses(int(asked.prompt), message=key)

    endpoint.follow(gossip)
    completions = await ask(desk, model(endpoint), "ok", "400", "401", "404", "429", "500")
    endpoint.play(answers(f"<html>{KEY}</html>".encode()))
    completions += await ask(desk, model(endpoint), "html")
    everything = [str(each) for each in completions]
    for name in await store._database.list_collection_names():
        everything += [str(document) async for document in store._database[name].find()]
    everything += [caplog.text, *capsys.readouterr()]
    assert "you sent Bearer [key]" in completions[0].text
    assert not any(KEY[start : start + 8] in text for start, text in itertools.product(range(len(KEY) - 7), everything))
