from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from libra.testing.scripted_provider import (
    Behaviour,
    ReceivedRequest,
    ScriptedProvider,
    broken_off,
    filtered,
    filters_the_prompt,
    hangs,
    huge,
    in_turn,
    nothing,
    refuses,
    says,
    slow_down,
    truncated,
    web_page,
)


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        yield session


async def ask(
    client: aiohttp.ClientSession, provider: ScriptedProvider, prompt: str = "hello"
) -> tuple[int, bytes, Any]:
    body = {"model": "m", "messages": [{"role": "user", "content": prompt}]}
    headers = {"Authorization": "Bearer k"}
    async with client.post(f"{provider.url}/chat/completions", json=body, headers=headers) as response:
        return response.status, await response.read(), response


async def test_it_replies_as_the_script_says_and_records_its_requests(client: aiohttp.ClientSession) -> None:
    async with ScriptedProvider(lambda request: says(request.prompt.upper())) as provider:
        _, _, response = await ask(client, provider, "shout")
        assert (await response.json())["choices"][0]["message"]["content"] == "SHOUT"
    (request,) = provider.requests
    assert (request.number, request.model, request.prompt) == (0, "m", "shout")
    assert request.headers["authorization"] == "Bearer k"


async def test_behaviours_are_used_in_turn_and_the_last_one_repeats(client: aiohttp.ClientSession) -> None:
    async with ScriptedProvider(in_turn(slow_down(7), refuses(503), says("yes"))) as provider:
        first, second, third, fourth = [await ask(client, provider) for _ in range(4)]
    assert (first[0], first[2].headers["Retry-After"]) == (429, "7")
    assert (second[0], third[0], fourth[0]) == (503, 200, 200)
    assert provider.count == 4


@pytest.mark.parametrize(
    ("behaviour", "status", "holds"),
    [
        (filtered(), 200, b'"finish_reason": "content_filter"'),
        (filters_the_prompt(), 400, b'"code": "content_filter"'),
        (slow_down(), 429, b"rate_limit_exceeded"),
        (refuses(401), 401, b'"error"'),
        (web_page(), 200, b"<!doctype html>"),
        (truncated(), 200, b'{"id"'),
        (nothing(), 200, b""),
        (huge(), 200, b"x" * 10 * 1024 * 1024),
    ],
    ids=["filtered", "filters the prompt", "slow down", "refuses", "web page", "truncated", "nothing", "huge"],
)
async def test_each_known_behaviour_of_providers(
    client: aiohttp.ClientSession, behaviour: Behaviour, status: int, holds: bytes
) -> None:
    async with ScriptedProvider(behaviour) as provider:
        answered, body, _ = await ask(client, provider)
    assert answered == status
    assert holds in body


async def test_a_response_can_be_broken_off(client: aiohttp.ClientSession) -> None:
    async with ScriptedProvider(broken_off()) as provider:
        with pytest.raises(aiohttp.ClientPayloadError):
            await ask(client, provider)


async def test_a_hanging_request_is_counted_and_does_not_delay_closing(
    client: aiohttp.ClientSession,
) -> None:
    async with asyncio.timeout(5), ScriptedProvider(hangs()) as provider:
        tasks = [asyncio.create_task(ask(client, provider)) for _ in range(3)]
        while provider.max_in_flight < 3:
            await asyncio.sleep(0.01)
        assert not any(task.done() for task in tasks)
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(result, aiohttp.ClientError) for result in results)


async def test_it_lists_models_and_accepts_an_invalid_body(client: aiohttp.ClientSession) -> None:
    async with ScriptedProvider(says("yes")) as provider:
        async with client.post(f"{provider.url}/chat/completions", data=b"no json") as response:
            assert response.status == 200
        async with client.get(f"{provider.url}/models") as response:
            assert "scripted" in await response.text()
    assert provider.requests[0].body == {}
    assert provider.requests[0].prompt == ""


async def test_a_script_may_depend_on_the_number_of_the_request(client: aiohttp.ClientSession) -> None:
    def script(request: ReceivedRequest) -> Behaviour:
        return says("again" if request.number else "first")

    async with ScriptedProvider(script) as provider:
        assert b"first" in (await ask(client, provider))[1]
        assert b"again" in (await ask(client, provider))[1]
