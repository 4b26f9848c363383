"""One question is paid for once, whoever asks it and whoever leaves; a failure is nobody else's."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from libra.gateway.components import Components
from libra.testing.scripted_provider import refuses, says

from .endpoint import ERROR, STOP, YES, Endpoint, ask, model, one


async def test_what_was_asked_is_found(desk: Components, endpoint: Endpoint) -> None:
    first = await ask(desk, model(endpoint), "a", "b")
    again = await ask(desk, model(endpoint), "b", "a", "c")
    assert endpoint.count == 3
    assert [each.attempts for each in again] == [0, 0, 1]
    assert [again[1].id, again[0].id] == [each.id for each in first]
    assert again[0].create_time == first[1].create_time


async def test_the_same_question_at_the_same_time_is_asked_once(desk: Components, endpoint: Endpoint) -> None:
    endpoint.play(says("yes", after_seconds=0.2))
    entry = model(endpoint, max_in_flight=100)
    batches = await asyncio.gather(*(ask(desk, entry, "a", "b", "a", "b") for _ in range(20)))
    assert endpoint.count == 2
    assert sum(each.attempts for batch in batches for each in batch) == 2
    assert {each.text for batch in batches for each in batch} == {"yes"}


async def test_a_failure_is_shared_and_asked_again_the_next_time(desk: Components, endpoint: Endpoint) -> None:
    endpoint.play(replace(refuses(400), after_seconds=0.1), YES)
    batches = await asyncio.gather(*(ask(desk, model(endpoint), "a") for _ in range(5)))
    assert {each.finish_reason for batch in batches for each in batch} == {ERROR}
    assert endpoint.count == 1
    assert (await one(desk, model(endpoint), "a")).finish_reason == STOP


async def test_one_bad_trial_costs_its_neighbours_nothing(desk: Components, endpoint: Endpoint) -> None:
    endpoint.follow(lambda asked: refuses(400) if asked.prompt == "bad" else says(asked.prompt))
    completions = await ask(desk, model(endpoint), "a", "bad", "b")
    assert [each.text for each in completions] == ["a", "", "b"]
    assert [each.finish_reason for each in completions] == [STOP, ERROR, STOP]


async def test_who_leaves_does_not_waste_what_is_under_way(desk: Components, endpoint: Endpoint) -> None:
    endpoint.play(says("yes", after_seconds=0.3))
    entry = model(endpoint, max_in_flight=1)
    caller = asyncio.create_task(ask(desk, entry, "a", "b"))
    while not endpoint.count:
        await asyncio.sleep(0.01)
    caller.cancel()
    await asyncio.gather(caller, return_exceptions=True)
    assert (await one(desk, entry, "a")).attempts == 0
    assert endpoint.count == 1  # "a" was paid for, "b" never asked
