"""GatewayService over real gRPC and a real mongod."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from tests.integration.support.serving import serve_gateway

from libra.core.errors import Invalid, NotFound, Unavailable
from libra.gateway import service
from libra.gateway.completion.job import Patience
from libra.gateway.components import Components
from libra.gateway.limits.admission_queue import Lane
from libra.gateway.provider.request import CompletionRequest
from libra.gateway.settings import Settings
from libra.rpc.client import call
from libra.store.client import Store
from libra.telemetry.metrics import Metrics
from libra.testing.scripted_provider import Behaviour, ReceivedRequest, ScriptedProvider, says
from libra.v1.completion_pb2 import Completion, FinishReason, GenerationParameters
from libra.v1.gateway_pb2 import CompleteRequest, Conversation, ListModelsRequest
from libra.v1.gateway_pb2_grpc import GatewayServiceStub
from libra.v1.message_pb2 import Message
from libra.v1.model_pb2 import Model, ModelLimits, Provider


@dataclass
class World:
    """The service, its components, and a model that answers with the number of the request."""

    stub: GatewayServiceStub
    components: Components
    provider: ScriptedProvider

    @property
    def asked(self) -> list[str]:
        return [asked.prompt for asked in self.provider.requests]


def number(asked: ReceivedRequest) -> Behaviour:
    return says(str(asked.number + 1), after_seconds=0.3 if "slow" in asked.prompt else 0)


@pytest.fixture
async def world(store: Store) -> AsyncIterator[World]:
    components = Components.create(
        store, Metrics(CollectorRegistry()), Settings(allowed_networks="loopback"), {"SET_API_KEY": "key"}
    )
    async with serve_gateway(components) as opened, ScriptedProvider(number) as provider:
        openai, url = Provider.PROVIDER_OPENAI, provider.url
        limits = ModelLimits(max_in_flight=1)
        await store.models.add(Model(name="open", provider=openai, base_url=url, limits=limits))
        await store.models.add(Model(name="locked", provider=openai, base_url=url, api_key_env="UNSET_API_KEY"))
        await store.models.add(Model(name="keyed", provider=openai, base_url=url, api_key_env="SET_API_KEY"))
        await store.models.add(Model(name="refuser", provider=Provider.PROVIDER_SCRIPTED))
        await store.models.add(Model(name="odd", provider=Provider.PROVIDER_SCRIPTED, remote_model="refusr"))
        yield World(GatewayServiceStub(opened), components, provider)


def conversation(text: str = "hello", **shape: Any) -> Conversation:
    return Conversation(messages=[Message(role="user", content=text)], **shape)


async def test_models_are_listed_with_the_problem_that_prevents_their_use(world: World) -> None:
    models = (await call(world.stub.ListModels, ListModelsRequest(), 5)).models
    problems = {status.model.name: status.problem for status in models}
    assert list(problems) == ["keyed", "locked", "odd", "open", "refuser"]
    assert problems["keyed"] == problems["open"] == problems["refuser"] == ""
    assert "UNSET_API_KEY is not set" in problems["locked"]
    assert "did you mean refuser" in problems["odd"]


async def test_requests_in_flight_are_listed(world: World) -> None:
    asking = asyncio.create_task(
        call(
            world.stub.Complete,
            CompleteRequest(model="open", conversations=[conversation("slow 1"), conversation("slow 2")]),
            20,
        )
    )
    while not world.asked:
        await asyncio.sleep(0.01)
    models = (await call(world.stub.ListModels, ListModelsRequest(), 5)).models
    assert {status.model.name: status.in_flight for status in models}["open"] == 1
    await asking


async def test_conversations_are_answered_in_order_and_each_distinct_one_once(world: World) -> None:
    request = CompleteRequest(
        model="open",
        conversations=[conversation("a"), conversation("b"), conversation("a", epoch=1), conversation("a")],
        fresh_for="one caller",
    )
    first = (await call(world.stub.Complete, request, 20)).completions
    assert world.asked == ["a", "b", "a"]
    assert [each.text for each in first] == ["1", "2", "3", "1"]
    again = (await call(world.stub.Complete, request, 20)).completions
    assert [(each.text, each.attempts) for each in again] == [("1", 0), ("2", 0), ("3", 0), ("1", 0)]
    request.fresh_for = "another caller"
    assert [each.text for each in (await call(world.stub.Complete, request, 20)).completions][:3] == ["4", "5", "6"]


async def test_a_conversation_without_an_answer_is_an_error_among_the_answers(world: World) -> None:
    request = CompleteRequest(model="odd", conversations=[conversation()])
    (completion,) = (await call(world.stub.Complete, request, 20)).completions
    assert completion.finish_reason == FinishReason.FINISH_REASON_ERROR
    assert "did you mean refuser" in completion.error


async def test_a_call_to_a_parked_model_is_told_to_come_again_with_the_reason(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "CALL_PATIENCE", Patience(max_park_seconds=0.1))
    request = CompleteRequest(model="locked", conversations=[conversation()])
    with pytest.raises(Unavailable, match=r"the model locked is parked: .* UNSET_API_KEY is not set"):
        await call(world.stub.Complete, request, 20)


async def slow_batch(world: World) -> tuple[Model, asyncio.Task[list[Completion]]]:
    """Send three requests to the model `open`, which takes one at a time, as the stage does."""
    model = await world.components.models.get("open", field="model")
    requests = [
        CompletionRequest(model, GenerationParameters(), (Message(role="user", content=f"slow batch {n}"),))
        for n in range(3)
    ]
    batch = asyncio.create_task(world.components.completer.complete(requests, Lane.BATCH))
    while not world.asked:
        await asyncio.sleep(0.01)
    return model, batch


async def test_a_call_is_admitted_before_batches(world: World) -> None:
    model, batch = await slow_batch(world)
    calling = asyncio.create_task(
        call(world.stub.Complete, CompleteRequest(model="open", conversations=[conversation("call")]), 20)
    )
    while (model_channel := world.components.channels.get(model)).limiter.waiting(Lane.INTERACTIVE) == 0:
        await asyncio.sleep(0.01)
    assert model_channel.limiter.in_flight == 1
    await asyncio.gather(batch, calling)
    assert world.asked[:2] == ["slow batch 0", "call"]


async def test_a_patient_call_waits_behind_earlier_batches(world: World) -> None:
    _, batch = await slow_batch(world)
    request = CompleteRequest(model="open", conversations=[conversation("call")], patient=True)
    await asyncio.gather(batch, call(world.stub.Complete, request, 20))
    assert world.asked == ["slow batch 0", "slow batch 1", "slow batch 2", "call"]


INVALID: list[tuple[dict[str, Any], str]] = [
    ({"model": ""}, "model"),
    ({"conversations": []}, "conversations"),
    ({"conversations": [conversation()] * 65}, "conversations"),
    ({"conversations": [conversation(), Conversation()]}, "conversations[1].messages"),
    ({"conversations": [Conversation(messages=[Message(role="tool", content="x")])]}, "conversations[0].messages"),
    ({"conversations": [Conversation(messages=[Message(role="assistant")])]}, "conversations[0].messages"),
    ({"conversations": [conversation(epoch=-1)]}, "conversations[0].epoch"),
    ({"parameters": GenerationParameters(temperature=2.5)}, "parameters.temperature"),
    ({"parameters": GenerationParameters(temperature=float("nan"))}, "parameters.temperature"),
    ({"parameters": GenerationParameters(top_p=0)}, "parameters.top_p"),
    ({"parameters": GenerationParameters(max_tokens=-1)}, "parameters.max_tokens"),
    ({"parameters": GenerationParameters(json_schema="{")}, "parameters.json_schema"),
]


@pytest.mark.parametrize(("changes", "field"), INVALID)
async def test_an_invalid_request_names_its_field(world: World, changes: dict[str, Any], field: str) -> None:
    request = CompleteRequest(**{"model": "refuser", "conversations": [conversation()], **changes})
    with pytest.raises(Invalid) as caught:
        await call(world.stub.Complete, request, 5)
    assert caught.value.field == field


async def test_an_unknown_model_is_not_found_and_similar_names_are_suggested(world: World) -> None:
    with pytest.raises(NotFound, match="did you mean refuser") as caught:
        await call(world.stub.Complete, CompleteRequest(model="refusal", conversations=[conversation()]), 5)
    assert caught.value.field == "model"


async def test_a_call_after_close_is_unavailable(world: World) -> None:
    await world.components.close(0)
    with pytest.raises(Unavailable):
        await call(world.stub.Complete, CompleteRequest(model="open", conversations=[conversation()]), 5)
