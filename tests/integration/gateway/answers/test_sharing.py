"""Equal requests are paid once, even if callers leave; a failure affects no other request."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from libra.gateway.components import Components
from libra.testing.scripted_provider import refuses, says

from .endpoint import ERROR, STOP, YES, Endpoint, ask, model_of, one


async def test_a_stored_answer_is_found(components: Components, endpoint: Endpoint) -> None:
    first = await ask(components, model_of(endpoint), "a", "b")
    again = await ask(components, model_of(endpoint), "b", "a", "c")
    assert endpoint.count == 3
    assert [each.attempts for each in again] == [0, 0, 1]
    assert [again[1].id, again[0].id] == [each.id for each in first]
    assert again[0].create_time == first[1].create_time


async def test_equal_requests_at_the_same_time_are_sent_once(components: Components, endpoint: Endpoint) -> None:
    endpoint.play(says("yes", after_seconds=0.2))
    model = model_of(endpoint, max_in_flight=100)
    batches = await asyncio.gather(*(ask(components, model, "a", "b", "a", "b") for _ in range(20)))
    assert endpoint.count == 2
    assert sum(each.attempts for batch in batches for each in batch) == 2
    assert {each.text for batch in batches for each in batch} == {"yes"}


async def test_a_failure_is_shared_and_the_next_request_is_sent_again(
    components: Components, endpoint: Endpoint
) -> None:
    endpoint.play(replace(refuses(400), after_seconds=0.1), YES)
    batches = await asyncio.gather(*(ask(components, model_of(endpoint), "a") for _ in range(5)))
    assert {each.finish_reason for batch in batches for each in batch} == {ERROR}
    assert endpoint.count == 1
    assert (await one(components, model_of(endpoint), "a")).finish_reason == STOP


async def test_a_failed_request_does_not_affect_the_others(components: Components, endpoint: Endpoint) -> None:
    endpoint.follow(lambda asked: refuses(400) if asked.prompt == "bad" else says(asked.prompt))
    completions = await ask(components, model_of(endpoint), "a", "bad", "b")
    assert [each.text for each in completions] == ["a", "", "b"]
    assert [each.finish_reason for each in completions] == [STOP, ERROR, STOP]


async def test_a_caller_that_leaves_does_not_waste_a_request_in_flight(
    components: Components, endpoint: Endpoint
) -> None:
    endpoint.play(says("yes", after_seconds=0.3))
    model = model_of(endpoint, max_in_flight=1)
    caller = asyncio.create_task(ask(components, model, "a", "b"))
    while not endpoint.count:
        await asyncio.sleep(0.01)
    caller.cancel()
    await asyncio.gather(caller, return_exceptions=True)
    assert (await one(components, model, "a")).attempts == 0
    assert endpoint.count == 1  # "a" was paid, "b" was never sent
