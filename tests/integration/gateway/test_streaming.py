"""GatewayService.StreamComplete over real gRPC, a real mongod, and an endpoint that streams as its script says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import pytest
from prometheus_client import CollectorRegistry
from tests.integration.support.serving import serve_gateway

from libra.core.errors import Invalid, NotFound
from libra.gateway.components import Components
from libra.gateway.settings import Settings
from libra.rpc.client import call, stream
from libra.store.client import Store
from libra.telemetry.metrics import Metrics
from libra.testing.scripted_provider import (
    Behaviour,
    ReceivedRequest,
    ScriptedProvider,
    refuses,
    says,
    server_sent,
    stalls,
    streams,
)
from libra.v1 import completion_pb2 as pb
from libra.v1.completion_pb2 import Completion, GenerationParameters
from libra.v1.gateway_pb2 import CompleteRequest, Conversation, StreamCompleteRequest
from libra.v1.gateway_pb2_grpc import GatewayServiceStub
from libra.v1.message_pb2 import Message
from libra.v1.model_pb2 import Model, ModelLimits, Provider

RESTART = "<restart>"


@dataclass
class World:
    """The service, and a model behind a scripted endpoint."""

    stub: GatewayServiceStub
    provider: ScriptedProvider
    script: list[Behaviour]
    """The behaviour for each request; the last one repeats."""

    async def stream(self, text: str = "hello", model: str = "open") -> Answer:
        answer = Answer()
        async for part in stream(self.stub.StreamComplete, request(text, model), 20):
            match part.WhichOneof("part"):
                case "text":
                    answer.parts.append(part.text)
                case "restart":
                    answer.parts.append(RESTART)
                case "completion":
                    answer.completion = part.completion
        return answer


@dataclass
class Answer:
    """The messages of one call."""

    parts: list[str] = field(default_factory=list)
    completion: Completion = field(default_factory=Completion)


def request(text: str, model: str = "open") -> StreamCompleteRequest:
    return StreamCompleteRequest(model=model, conversation=Conversation(messages=[Message(role="user", content=text)]))


@pytest.fixture
async def world(store: Store) -> AsyncIterator[World]:
    script = [streams("Hel", "lo")]
    settings = Settings(allowed_networks="loopback", retry_base_seconds=0.01, stream_stall_seconds=0.3)
    components = Components.create(
        store, Metrics(CollectorRegistry()), settings, {"SET_API_KEY": "sk-0123456789abcdef"}
    )

    def answer(asked: ReceivedRequest) -> Behaviour:
        return script[min(asked.number, len(script) - 1)]

    async with serve_gateway(components) as opened, ScriptedProvider(answer) as provider:
        openai = Provider.PROVIDER_OPENAI
        one = ModelLimits(max_in_flight=1)
        await store.models.add(Model(name="open", provider=openai, base_url=provider.url, limits=one))
        await store.models.add(Model(name="keyed", provider=openai, base_url=provider.url, api_key_env="SET_API_KEY"))
        await store.models.add(Model(name="refuser", provider=Provider.PROVIDER_SCRIPTED))
        yield World(GatewayServiceStub(opened), provider, script)


async def test_the_text_is_sent_while_it_arrives_and_the_completion_last(world: World) -> None:
    world.script[:] = [streams("Hel", "lo ", "you", pause_seconds=0.05)]
    answer = await world.stream()
    assert len(answer.parts) > 1
    assert "".join(answer.parts) == answer.completion.text == "Hello you"
    assert answer.completion.finish_reason == pb.FINISH_REASON_STOP
    assert (answer.completion.usage.prompt_tokens, answer.completion.usage.completion_tokens) == (10, 3)
    assert world.provider.requests[0].body["stream"] is True


async def test_an_answer_is_stored_under_the_key_that_complete_uses(world: World) -> None:
    streamed = await world.stream()
    batch = CompleteRequest(model="open", conversations=[request("hello").conversation])
    whole = (await call(world.stub.Complete, batch, 20)).completions[0]
    assert (whole.id, whole.text, whole.attempts) == (streamed.completion.id, "Hello", 0)
    again = await world.stream()
    assert (again.parts, again.completion.id, again.completion.attempts) == (["Hello"], whole.id, 0)
    assert world.provider.count == 1


async def test_a_model_that_does_not_stream_sends_its_answer_as_one_part(world: World) -> None:
    assert (await world.stream(model="refuser")).parts == ["I'm sorry, but I can't help with that."]
    world.script[:] = [says("whole")]
    assert (await world.stream()).parts == ["whole"]


async def test_an_endpoint_that_refuses_to_stream_is_asked_without(world: World) -> None:
    world.script[:] = [refuses(400, message="stream is not supported"), says("whole")]
    assert (await world.stream("one")).parts == ["whole"]
    assert (await world.stream("two")).parts == ["whole"]
    assert ["stream" in asked.body for asked in world.provider.requests] == [True, False, False]


async def test_a_refused_parameter_is_adjusted_as_in_complete(world: World) -> None:
    refusal = (
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    )
    world.script[:] = [refuses(400, code="unsupported_parameter", message=refusal), streams("yes")]
    answer = await world.stream()
    assert answer.completion.text == "yes"
    assert [adjustment.parameter for adjustment in answer.completion.adjustments] == ["max_tokens"]


@pytest.mark.parametrize(
    ("finish_reason", "response_class"),
    [
        ("stop", pb.RESPONSE_CLASS_ANSWERED),
        ("length", pb.RESPONSE_CLASS_TRUNCATED),
        ("content_filter", pb.RESPONSE_CLASS_BLOCKED_OUTPUT),
    ],
)
async def test_a_streamed_answer_is_classified_as_a_whole_one(
    world: World, finish_reason: str, response_class: int
) -> None:
    world.script[:] = [streams("some text", finish_reason=finish_reason)]
    assert (await world.stream()).completion.response.response_class == response_class


BROKEN = {
    "malformed event": streams("bad", after=b"data: {no json\n\n"),
    "cut off without an end": streams("bad", after=b": the end\n\n"),
    "cut connection": replace(streams("bad", after=b"data: "), broken_off=True),
    "error event": streams("bad", after=server_sent({"error": {"message": "overloaded", "code": 500}})),
    "stall": stalls("bad"),
}


@pytest.mark.parametrize("behaviour", BROKEN.values(), ids=BROKEN)
async def test_a_broken_stream_is_asked_for_again_from_the_beginning(world: World, behaviour: Behaviour) -> None:
    world.script[:] = [behaviour, streams("good", "!")]
    answer = await world.stream()
    assert (answer.parts[0], answer.parts[1], "".join(answer.parts[2:])) == ("bad", RESTART, "good!")
    assert (answer.completion.text, answer.completion.attempts) == ("good!", 2)


async def test_a_stream_that_stalls_each_time_ends_with_the_reason(world: World) -> None:
    world.script[:] = [stalls("bad")]
    completion = (await world.stream()).completion
    assert completion.finish_reason == pb.FINISH_REASON_ERROR
    assert "given up after 2 requests" in completion.error


async def test_a_caller_who_leaves_ends_the_request(world: World) -> None:
    world.script[:] = [streams(*["word "] * 200, pause_seconds=0.05), says("next")]
    leaving = stream(world.stub.StreamComplete, request("long"), 20)
    assert (await anext(leaving)).text == "word "
    await leaving.aclose()
    async with asyncio.timeout(3):  # the model serves one request at a time
        assert (await world.stream("next")).completion.text == "next"


async def test_two_callers_with_the_same_question_share_one_stream(world: World) -> None:
    world.script[:] = [streams("a", "b", "c", pause_seconds=0.1)]
    first = asyncio.create_task(world.stream())
    while not world.provider.requests:
        await asyncio.sleep(0.01)
    second = await world.stream()
    assert "".join(second.parts) == "".join((await first).parts) == "abc"
    assert world.provider.count == 1


async def test_an_answer_that_quotes_the_key_is_not_streamed_on(world: World) -> None:
    world.script[:] = [streams("the key is sk-01234", "56789abcdef", " indeed")]
    answer = await world.stream(model="keyed")
    assert "sk-01234" not in "".join(answer.parts)
    assert "sk-01234" not in answer.completion.text
    assert answer.completion.text.endswith("indeed")


async def test_an_invalid_call_names_the_field(world: World) -> None:
    with pytest.raises(NotFound, match="there is no model 'opne'"):
        await world.stream(model="opne")
    bad = request("hello")
    bad.parameters.CopyFrom(GenerationParameters(temperature=9))
    with pytest.raises(Invalid) as caught:
        await anext(stream(world.stub.StreamComplete, bad, 5))
    assert caught.value.field == "parameters.temperature"
