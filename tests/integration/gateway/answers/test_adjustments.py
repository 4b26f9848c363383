"""Parameters that an endpoint refuses are dropped or replaced, remembered by all replicas, and recorded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry

from libra.core.errors import Unavailable
from libra.gateway.completion.key import completion_id
from libra.gateway.components import Components
from libra.gateway.limits.admission_queue import Lane
from libra.gateway.provider.request import CompletionRequest
from libra.gateway.service import GatewayService
from libra.store.client import Store
from libra.telemetry.metrics import Metrics
from libra.testing.scripted_provider import Behaviour, ReceivedRequest, Script, refuses, says
from libra.v1.completion_pb2 import Adjustment, Completion, GenerationParameters
from libra.v1.gateway_pb2 import ListModelsRequest
from libra.v1.message_pb2 import Message
from libra.v1.model_pb2 import Model

from .endpoint import ERROR, FAST, KEY, STOP, YES, Endpoint, ask, model_of, one, requests


def unsupported(name: str, words: str = "is not supported with this model.") -> Behaviour:
    return refuses(400, message=f"Unsupported parameter: '{name}' {words}")


def refusing(*names: str) -> Script:
    def script(asked: ReceivedRequest) -> Behaviour:
        return next((unsupported(name) for name in names if name in asked.body), YES)

    return script


@pytest.fixture
async def other(store: Store) -> AsyncIterator[Components]:
    """Another replica, or this one after a restart."""
    made = Components.create(
        store, Metrics(CollectorRegistry()), replace(FAST, look_seconds=0.05), {"TEST_API_KEY": KEY}
    )
    yield made
    await made.close(0)


def texts(completion: Completion) -> list[tuple[str, str]]:
    return [(each.parameter, each.replacement) for each in completion.adjustments]


async def test_refused_parameters_are_dropped_remembered_and_recorded(
    components: Components, other: Components, endpoint: Endpoint, store: Store
) -> None:
    endpoint.follow(refusing("temperature", "seed"))
    model = await store.models.add(model_of(endpoint))
    first = (await ask(components, model, "a", temperature=0, seed=7, top_p=0.5))[0]
    assert (first.finish_reason, first.attempts) == (STOP, 3)
    assert texts(first) == [("seed", ""), ("temperature", "")]
    assert not first.adjustments[0].words
    await components.adjustments.drain(5)
    for replica in (components, other):
        later = (await ask(replica, model, f"b{id(replica)}", temperature=0, seed=7, top_p=0.5))[0]
        assert later.attempts == 1
        assert texts(later) == texts(first)
    assert set(endpoint.provider.requests[-1].body) == {"model", "messages", "max_tokens", "top_p"}
    status = (await GatewayService(other).ListModels(ListModelsRequest(), None)).models[0]
    assert [each.parameter for each in status.adjustments] == ["seed", "temperature"]
    assert status.adjustments[1].words == "Unsupported parameter: 'temperature' is not supported with this model."


async def test_an_adjusted_request_has_a_key_of_its_own_and_its_answer_is_found_under_it(
    components: Components, other: Components, endpoint: Endpoint, store: Store
) -> None:
    endpoint.follow(refusing("temperature"))
    model = await store.models.add(model_of(endpoint))
    (asked,) = requests(model, "a", temperature=0)
    plain = (await ask(components, model, "a"))[0]
    adjusted = (await ask(components, model, "a", temperature=0))[0]
    assert adjusted.id == completion_id(replace(asked, adjustments=(("temperature", ""),)))
    assert len({adjusted.id, plain.id, completion_id(asked)}) == 3
    other.adjustments._read_at = 2.0**40  # a replica that has not read what the first one learned
    found = (await ask(other, model, "a", temperature=0))[0]
    assert (found.id, found.attempts) == (adjusted.id, 0)
    assert endpoint.count == 4  # plain, refused, adjusted, refused


async def test_requests_that_were_sent_before_the_first_refusal_are_repeated(
    components: Components, endpoint: Endpoint
) -> None:
    endpoint.follow(
        lambda asked: replace(unsupported("seed"), after_seconds=0.05) if "seed" in asked.body else says(asked.prompt)
    )
    texts_of = [f"question {number}" for number in range(40)]
    completions = await ask(components, model_of(endpoint), *texts_of, seed=1)
    assert [each.text for each in completions] == texts_of
    assert {each.attempts for each in completions} <= {1, 2}


async def test_equal_requests_before_and_after_the_refusal_share_one_answer(
    components: Components, endpoint: Endpoint
) -> None:
    endpoint.follow(lambda asked: unsupported("seed") if "seed" in asked.body else replace(YES, after_seconds=0.3))
    model = model_of(endpoint)
    first = asyncio.create_task(ask(components, model, "same", "other", seed=1))
    while endpoint.count < 4:
        await asyncio.sleep(0.01)
    components.adjustments.of(model).learn(Adjustment(parameter="seed"), {})
    second = await ask(components, model, "same", "other", seed=1)
    assert [each.id for each in second] == [each.id for each in await first]
    assert endpoint.count == 4


async def test_an_endpoint_that_lies_gets_a_bounded_number_of_requests_and_nothing_is_remembered(
    components: Components, endpoint: Endpoint
) -> None:
    def lie(asked: ReceivedRequest) -> Behaviour:
        wanted = "max_completion_tokens" if "max_tokens" in asked.body else "max_tokens"
        used = "max_tokens" if "max_tokens" in asked.body else "max_completion_tokens"
        return unsupported(used, f"is not supported. Use '{wanted}' instead.")

    endpoint.follow(lie)
    model = model_of(endpoint)
    completion = await one(components, model)
    assert completion.finish_reason == ERROR
    assert endpoint.count == completion.attempts == 3
    assert components.adjustments.of(model).list() == []


async def test_a_model_that_is_registered_again_starts_clean(
    components: Components, endpoint: Endpoint, store: Store
) -> None:
    endpoint.follow(refusing("temperature"))
    model = await store.models.add(model_of(endpoint))
    await ask(components, model, "a", temperature=0)
    await components.adjustments.drain(5)
    await store.models.delete(model.name)
    await asyncio.sleep(0.002)
    again = await store.models.add(model_of(endpoint))
    endpoint.play(YES)
    completion = (await ask(components, again, "b", temperature=0))[0]
    assert "temperature" in endpoint.provider.requests[-1].body
    assert texts(completion) == []


@pytest.mark.parametrize(
    ("status", "message", "messages", "roles"),
    [
        (400, "System role not supported", ["system", "user"], ["user"]),
        (500, "Conversation roles must alternate user/assistant/user/assistant/...", ["system", "user"], ["user"]),
        (400, "roles must alternate between user and assistant", ["user", "user"], ["user"]),
    ],
)
async def test_turns_that_an_endpoint_refuses_are_merged(
    components: Components, endpoint: Endpoint, status: int, message: str, messages: list[str], roles: list[str]
) -> None:
    endpoint.follow(
        lambda asked: refuses(status, message=message) if len(asked.body["messages"]) == len(messages) else YES
    )
    turns = tuple(Message(role=role, content=f"turn {place}") for place, role in enumerate(messages))
    asked = CompletionRequest(model_of(endpoint), GenerationParameters(), turns)
    (completion,) = await components.completer.complete([asked], Lane.BATCH)
    assert completion.finish_reason == STOP
    (sent,) = endpoint.provider.requests[-1].body["messages"]
    assert [sent["role"]] == roles
    assert sent["content"] == "turn 0\n\nturn 1"


async def test_a_value_out_of_range_stays_an_error(components: Components, endpoint: Endpoint) -> None:
    endpoint.play(refuses(400, message="Invalid 'temperature': 3 is not between 0 and 2; the range is fixed"))
    completion = (await ask(components, model_of(endpoint), "a", temperature=2))[0]
    assert (completion.finish_reason, endpoint.count) == (ERROR, 1)


async def test_learning_works_while_the_store_of_adjustments_is_away(endpoint: Endpoint, store: Store) -> None:
    class Away:
        async def list(self) -> dict[str, list[object]]:
            raise Unavailable("away")

        async def upsert(self, model: Model, adjustment: object) -> None:
            raise Unavailable("away")

    components = Components.create(store, Metrics(CollectorRegistry()), FAST, {"TEST_API_KEY": KEY})
    components.adjustments._store = Away()  # type: ignore[assignment]  # no store
    endpoint.follow(refusing("temperature"))
    model = model_of(endpoint)
    assert [(await ask(components, model, text, temperature=0))[0].attempts for text in ("a", "b")] == [2, 1]
    assert components.adjustments.of(model).unsaved
    await components.close(1)
