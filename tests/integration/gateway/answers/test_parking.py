"""Models that cannot be asked, over real HTTP and a real mongod, by one gateway and by several."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from libra.gateway.components import Components
from libra.gateway.limits.admission_queue import Lane
from libra.gateway.settings import Settings
from libra.store.client import Store
from libra.telemetry.metrics import Metrics
from libra.testing.scripted_provider import Behaviour, ScriptedProvider, hangs, refuses, says
from libra.v1.model_pb2 import MODEL_STATE_PARKED, MODEL_STATE_READY, Model

from .endpoint import ERROR, FAST, KEY, STOP, Endpoint, answers, ask, model_of, requests

PATIENT = replace(
    FAST,
    park_probe_seconds=0.2,
    park_probe_most_seconds=0.4,
    park_most_seconds=60.0,
    park_quota_most_seconds=86_400.0,
)
DAILY = b'[{"error": {"code": 429, "message": "Quota exceeded: %s", "status": "RESOURCE_EXHAUSTED", "details": [%s]}}]'


@asynccontextmanager
async def gateway(store: Store, settings: Settings = PATIENT) -> AsyncIterator[Components]:
    """Yield the components of a gateway that shares what it knows with others."""
    components = Components.create(store, Metrics(CollectorRegistry()), settings, {"TEST_API_KEY": KEY})
    stop = asyncio.Event()
    reporting = asyncio.create_task(components.health_reporter.work(stop))
    try:
        yield components
    finally:
        stop.set()
        await reporting
        await components.close(0)


async def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


def texts(count: int, name: str = "q") -> list[str]:
    return [f"{name}{n}" for n in range(count)]


async def test_a_provider_that_dies_and_returns_answers_every_trial(store: Store) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    provider = ScriptedProvider(says("yes"))
    provider._port = port
    model = model_of(Endpoint(), max_in_flight=4)
    model.base_url = f"http://127.0.0.1:{port}/v1"
    async with gateway(store) as components:
        asking = asyncio.create_task(ask(components, model, *texts(70)))
        await until(lambda: components.channels.get(model).gate.park is not None)
        await asyncio.sleep(1)
        async with provider:
            returned = asyncio.get_running_loop().time()
            completions = await asking
            assert asyncio.get_running_loop().time() - returned < 5
            assert {each.text for each in completions} == {"yes"}
            assert provider.count == 70


@pytest.mark.parametrize(
    ("behaviour", "cause"),
    [
        (refuses(401), "key"),
        (refuses(403), "key"),
        (refuses(400, code="invalid_api_key"), "key"),
        (refuses(404), "unknown_model"),
        (refuses(400, code="model_not_found"), "unknown_model"),
        (answers(b"", 307, Location="http://elsewhere/"), "unknown_model"),
        (refuses(402, message="No credits"), "quota"),
        (refuses(429, code="insufficient_quota"), "quota"),
        (refuses(400, message="Your credit balance is too low to access the API"), "quota"),
        (answers(DAILY % (b"requests per day", b""), 429), "quota"),
        (answers(DAILY % (b"see details", b'{"quotaId": "GenerateRequestsPerDayPerProject-FreeTier"}'), 429), "quota"),
        (refuses(429, message="busy", headers={"Retry-After": "4000"}), "wait"),
        (refuses(503, message="maintenance", headers={"Retry-After": "4000"}), "wait"),
    ],
)
async def test_a_model_that_cannot_be_asked_costs_a_handful_of_requests_for_all_gateways(
    store: Store, endpoint: Endpoint, behaviour: Behaviour, cause: str
) -> None:
    endpoint.play(behaviour)
    model = model_of(endpoint, max_in_flight=3)
    async with gateway(store) as one, gateway(store) as two:
        asking = [asyncio.create_task(ask(each, model, *texts(100, str(n)))) for n, each in enumerate((one, two))]
        await until(lambda: all(each.channels.get(model).gate.park for each in (one, two)))
        await asyncio.sleep(2)
        park = one.channels.get(model).gate.park
        assert park is not None
        assert park.cause == cause
        # In flight at both when it was parked, and a probe every 0.4 s by one of them.
        assert endpoint.count <= 2 * 3 + 2 / 0.4 + 2
        health = (await store.model_health.list())["m"].health
        assert health.state == MODEL_STATE_PARKED
        assert health.give_up_time.seconds > health.park_time.seconds
        for each in asking:
            each.cancel()
        await asyncio.gather(*asking, return_exceptions=True)


async def test_one_gateway_opens_the_model_for_all(store: Store, endpoint: Endpoint) -> None:
    endpoint.play(refuses(401))
    model = model_of(endpoint, max_in_flight=2)
    async with gateway(store) as one, gateway(store) as two:
        asking = [asyncio.create_task(ask(each, model, *texts(20, str(n)))) for n, each in enumerate((one, two))]
        await until(lambda: all(each.channels.get(model).gate.park for each in (one, two)))
        await asyncio.sleep(1.2)
        endpoint.play(says("yes"))
        for completions in await asyncio.gather(*asking):
            assert {each.finish_reason for each in completions} == {STOP}
        await asyncio.sleep(1.2)
        assert await store.parked_models.list() == {}
        assert (await store.model_health.list())["m"].health.state == MODEL_STATE_READY


async def test_a_gateway_learns_from_another_that_a_model_is_parked(store: Store, endpoint: Endpoint) -> None:
    endpoint.play(refuses(401))
    model = model_of(endpoint)
    slow = replace(PATIENT, park_probe_seconds=30.0, park_probe_most_seconds=30.0)
    async with gateway(store, slow) as one, gateway(store, slow) as two:
        asking = asyncio.create_task(ask(one, model, *texts(20)))
        two_channel = two.channels.get(model)
        await until(lambda: two_channel.gate.park is not None)
        before = endpoint.count
        waiting = asyncio.create_task(ask(two, model, *texts(20, "other")))
        await asyncio.sleep(1)
        assert endpoint.count == before
        for each in (asking, waiting):
            each.cancel()
        await asyncio.gather(asking, waiting, return_exceptions=True)


async def test_a_new_quota_of_errors_is_reported_with_its_count(store: Store, endpoint: Endpoint) -> None:
    endpoint.play(refuses(400, message="bad temperature"))
    model = model_of(endpoint)
    async with gateway(store) as components:
        completions = await ask(components, model, *texts(7))
        assert {each.finish_reason for each in completions} == {ERROR}
        await asyncio.sleep(1.2)
        health = (await store.model_health.list())["m"].health
        assert (health.state, health.errors) == (MODEL_STATE_READY, 7)
        assert "bad temperature" in health.error


async def cancelled_hanging_batch(components: Components, model: Model, **options: Any) -> None:
    """Ask four questions, and cancel the call once they are in flight."""
    call = components.completer.complete(requests(model, *texts(4)), Lane.BATCH, **options)
    batch = asyncio.create_task(call)
    await until(lambda: components.channels.in_flight("m") == 4)
    batch.cancel()
    await asyncio.gather(batch, return_exceptions=True)


async def test_the_requests_of_a_cancelled_run_give_their_slots_back_at_once(store: Store, endpoint: Endpoint) -> None:
    endpoint.play(hangs())
    model = model_of(endpoint, max_in_flight=4, timeout_seconds=60)
    async with gateway(store) as components:
        await cancelled_hanging_batch(components, model, is_cancelled=lambda: True)
        await until(lambda: components.channels.in_flight("m") == 0, 1)
        endpoint.play(says("yes"))
        assert (await ask(components, model, "another run"))[0].text == "yes"


async def test_the_requests_of_a_run_that_goes_on_are_answered_and_stored(store: Store, endpoint: Endpoint) -> None:
    endpoint.play(says("yes", after_seconds=1))
    model = model_of(endpoint, max_in_flight=4)
    async with gateway(store) as components:
        await cancelled_hanging_batch(components, model)
        await until(lambda: components.channels.in_flight("m") == 0)
        assert {each.text for each in await ask(components, model, *texts(4))} == {"yes"}
        assert endpoint.count == 4


async def test_a_request_that_another_run_waits_for_is_not_broken_off(store: Store, endpoint: Endpoint) -> None:
    endpoint.play(says("yes", after_seconds=1))
    model = model_of(endpoint, max_in_flight=4)
    async with gateway(store) as components:
        other = asyncio.create_task(ask(components, model, "q0"))
        await asyncio.sleep(0.1)
        await cancelled_hanging_batch(components, model, is_cancelled=lambda: True)
        assert (await other)[0].text == "yes"
        assert components.channels.in_flight("m") == 0
