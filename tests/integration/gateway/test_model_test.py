"""GatewayService.TestModel and the listing, over real gRPC, HTTP and a real mongod."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from tests.integration.support.serving import serve_gateway

from libra.core.errors import Invalid, NotFound
from libra.gateway.components import Components
from libra.rpc.client import call
from libra.store.client import Store
from libra.telemetry.metrics import Metrics
from libra.testing.scripted_provider import (
    Behaviour,
    Script,
    ScriptedProvider,
    filtered,
    hangs,
    huge,
    in_turn,
    refuses,
    says,
    slow_down,
    truncated,
    web_page,
)
from libra.v1 import completion_pb2 as pb
from libra.v1 import gateway_pb2
from libra.v1.gateway_pb2_grpc import GatewayServiceStub
from libra.v1.model_pb2 import Model, ModelLimits, ModelPrice, Provider, RequestOptions

from .answers.endpoint import FAST

KEY = "sk-3f9a1c7e5b2d4860"
OPENAI = Provider.PROVIDER_OPENAI


@dataclass
class World:
    """The service, and an endpoint with a script."""

    stub: GatewayServiceStub
    components: Components
    store: Store
    provider: ScriptedProvider
    script: Script

    async def add(self, name: str = "m", **fields: Any) -> None:
        await self.store.models.add(
            Model(**{"name": name, "provider": OPENAI, "base_url": self.provider.url, **fields})
        )

    async def ask(self, **fields: Any) -> gateway_pb2.TestModelResponse:
        reply: gateway_pb2.TestModelResponse = await call(
            self.stub.TestModel, gateway_pb2.TestModelRequest(**{"model": "m", **fields}), 20
        )
        return reply

    async def outcome(self, script: Script | Behaviour, **fields: Any) -> gateway_pb2.TestModelResponse:
        self.script = script if callable(script) else in_turn(script)
        await self.add()
        return await self.ask(**fields)


@pytest.fixture
async def world(store: Store) -> AsyncIterator[World]:
    components = Components.create(store, Metrics(CollectorRegistry()), FAST, {"TEST_API_KEY": KEY})
    provider = ScriptedProvider(lambda asked: made.script(asked))  # noqa: PLW0108 - `made` exists later
    async with serve_gateway(components) as opened, provider:
        made = World(GatewayServiceStub(opened), components, store, provider, in_turn(says("Paris.")))
        yield made


async def test_a_test_shows_what_was_sent_and_what_came_back(world: World) -> None:
    await world.add(api_key_env="TEST_API_KEY", remote_model="org/m", options=RequestOptions(headers={"X-Team": "red"}))
    reply = await world.ask(question="ready?")
    (exchange,) = reply.exchanges
    assert exchange.request_line == f"POST {world.provider.url}/chat/completions"
    assert exchange.request_headers["Authorization"] == "[key]"
    assert exchange.request_headers["X-Team"] == "red"
    assert exchange.request_headers["Content-Length"] == str(len(exchange.request_body))
    sent = json.loads(exchange.request_body)
    assert sent == world.provider.requests[0].body
    assert (sent["model"], sent["messages"][0]["content"]) == ("org/m", "ready?")
    assert {"temperature", "seed", "max_tokens"} <= sent.keys()
    assert (exchange.status, json.loads(exchange.response_body)["object"]) == (200, "chat.completion")
    assert 0 < exchange.seconds < 5
    completion = reply.completion
    assert (completion.text, completion.response.response_class) == ("Paris.", pb.RESPONSE_CLASS_ANSWERED)
    assert (completion.usage.prompt_tokens, completion.attempts) == (10, 1)
    assert world.provider.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in str(reply)


async def test_a_test_is_neither_stored_nor_answered_from_the_store(world: World) -> None:
    await world.add()
    await world.ask()
    await world.ask()
    assert world.provider.count == 2
    assert await world.store.completions.get_many([""]) == {}


async def test_the_parameters_of_the_caller_are_sent(world: World) -> None:
    await world.add()
    await world.ask(parameters=pb.GenerationParameters(max_tokens=7))
    assert world.provider.requests[0].body["max_tokens"] == 7
    assert "temperature" not in world.provider.requests[0].body


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (refuses(401, message=f"bad key {KEY}"), "requires an API key"),
        (refuses(404, message="no model m"), "check remote_model and base_url"),
        (refuses(429, code="insufficient_quota"), "quota"),
        (slow_down(30), "slow down"),
        (refuses(503, message="loading"), "test it again"),
        (web_page(), "JSON"),
        (web_page(502), "502"),
        (truncated(), "JSON"),
        (huge(), "4 MiB"),
    ],
)
async def test_a_failure_is_said_at_once_after_one_request(world: World, script: Behaviour, words: str) -> None:
    started = time.monotonic()
    reply = await world.outcome(script)
    assert time.monotonic() - started < 5
    assert world.provider.count == len(reply.exchanges) == 1
    assert words in reply.completion.error
    assert reply.completion.response.response_class == pb.RESPONSE_CLASS_FAILED
    assert len(reply.exchanges[0].response_body) <= 4096


async def test_a_filter_is_told_apart_from_a_failure(world: World) -> None:
    reply = await world.outcome(filtered())
    assert reply.completion.response.response_class == pb.RESPONSE_CLASS_BLOCKED_OUTPUT
    assert reply.completion.error == ""


async def test_a_wrong_key_that_the_provider_quotes_is_not_shown(world: World) -> None:
    await world.add(api_key_env="TEST_API_KEY")
    world.script = in_turn(refuses(401, message=f"Incorrect key {KEY}; {KEY[:12]}..."))
    reply = await world.ask()
    assert "TEST_API_KEY of the gateway" in reply.completion.error
    assert KEY[:9] not in str(reply)
    assert "[key]" in reply.exchanges[0].response_body


async def test_a_key_that_is_not_set_is_said_without_a_request(world: World) -> None:
    await world.add(api_key_env="UNSET_API_KEY")
    reply = await world.ask()
    assert list(reply.exchanges) == []
    assert "UNSET_API_KEY is not set" in reply.completion.error
    assert "libra down && libra up" in reply.completion.error


async def test_an_endpoint_that_does_not_reply_is_given_up_in_time(world: World) -> None:
    started = time.monotonic()
    reply = await world.outcome(hangs(), timeout_seconds=0.5)
    assert 0.5 <= time.monotonic() - started < 5
    assert "no answer within 0.5 s" in reply.completion.error
    (exchange,) = reply.exchanges
    assert (exchange.status, exchange.seconds >= 0.4) == (0, True)


async def test_nobody_listening_is_said_at_once(world: World) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but not listening
        await world.add(base_url=f"http://127.0.0.1:{taken.getsockname()[1]}/v1")
        started = time.monotonic()
        reply = await world.ask()
    assert time.monotonic() - started < 5
    assert reply.exchanges[0].status == 0
    assert "127.0.0.1" in reply.completion.error


async def test_the_limits_of_the_model_hold_for_a_test(world: World) -> None:
    await world.add(limits=ModelLimits(max_in_flight=1))
    world.script = in_turn(says("slow", after_seconds=1.5), says("later"))
    first = asyncio.create_task(world.ask())
    while not world.provider.count:
        await asyncio.sleep(0.01)
    reply = await world.ask(timeout_seconds=0.3)
    assert "limits are in use (1 requests in flight)" in reply.completion.error
    assert list(reply.exchanges) == []
    assert (await first).completion.text == "slow"


async def test_a_model_that_was_registered_again_is_tested_as_it_is_now(world: World) -> None:
    await world.add(base_url="http://127.0.0.1:1/v1")
    await world.ask()
    await world.store.models.delete("m")
    await world.add()
    assert (await world.ask()).completion.text == "Paris."


async def test_a_reference_model_answers_without_an_exchange(world: World) -> None:
    await world.store.models.add(Model(name="m", provider=Provider.PROVIDER_SCRIPTED, remote_model="refuser"))
    reply = await world.ask()
    assert list(reply.exchanges) == []
    assert "can't help" in reply.completion.text
    assert reply.HasField("price")


@pytest.mark.parametrize(
    ("fields", "error", "field"),
    [
        ({"model": ""}, Invalid, "model"),
        ({"model": "nobody"}, NotFound, "model"),
        ({"timeout_seconds": -1}, Invalid, "timeout_seconds"),
        ({"timeout_seconds": 601}, Invalid, "timeout_seconds"),
        ({"timeout_seconds": float("nan")}, Invalid, "timeout_seconds"),
        ({"question": "x" * 20_000}, Invalid, "question"),
        ({"parameters": pb.GenerationParameters(temperature=3)}, Invalid, "parameters.temperature"),
    ],
)
async def test_an_invalid_test_names_its_field(
    world: World, fields: dict[str, Any], error: type[Invalid | NotFound], field: str
) -> None:
    await world.add()
    with pytest.raises(error) as caught:
        await world.ask(**fields)
    assert caught.value.field == field
    assert world.provider.count == 0


async def test_a_price_is_registered_published_or_unknown(world: World) -> None:
    public = "https://api.openai.com/v1"
    price = ModelPrice(usd_per_million_prompt_tokens=2, usd_per_million_completion_tokens=4)
    await world.add("registered", price=price)
    await world.add("free", price=ModelPrice())
    await world.add("published", base_url=public, remote_model="gpt-4o-mini")
    await world.add("unpublished", base_url=public, remote_model="my-own-model")
    await world.add("local", remote_model="gpt-4o-mini")
    listed = (await call(world.stub.ListModels, gateway_pb2.ListModelsRequest(), 5)).models
    prices = {status.model.name: status.price for status in listed if status.HasField("price")}
    assert prices.keys() == {"registered", "free", "published"}
    assert prices["registered"] == price
    assert prices["free"] == ModelPrice()
    assert prices["published"].source.startswith("genai-prices ")
    assert 0 < prices["published"].usd_per_million_prompt_tokens < prices["published"].usd_per_million_completion_tokens


@pytest.mark.parametrize(
    ("price", "usd", "is_unknown"), [(ModelPrice(usd_per_million_prompt_tokens=2), 20e-6, False), (None, 0, True)]
)
async def test_the_cost_of_an_answer_is_unknown_without_a_price(
    world: World, price: ModelPrice | None, usd: float, *, is_unknown: bool
) -> None:
    await world.add(price=price)
    completion = (await world.ask()).completion
    assert completion.cost_usd == pytest.approx(usd)
    assert completion.price_unknown == is_unknown


async def test_the_registry_is_listed_in_pages_and_by_name(world: World) -> None:
    for name in "cbead":
        await world.add(name)
    request = gateway_pb2.ListModelsRequest(page_size=2)
    pages: list[list[str]] = []
    while not pages or request.page_token:
        page = await call(world.stub.ListModels, request, 5)
        pages.append([status.model.name for status in page.models])
        request.page_token = page.next_page_token
    assert pages == [["a", "b"], ["c", "d"], ["e"]]
    named = await call(world.stub.ListModels, gateway_pb2.ListModelsRequest(name="c"), 5)
    assert [status.model.name for status in named.models] == ["c"]
    assert not (await call(world.stub.ListModels, gateway_pb2.ListModelsRequest(name="f"), 5)).models
    with pytest.raises(Invalid):
        await call(world.stub.ListModels, gateway_pb2.ListModelsRequest(page_token="Zm9v"), 5)
    with pytest.raises(Invalid):
        await call(world.stub.ListModels, gateway_pb2.ListModelsRequest(page_size=-1), 5)
