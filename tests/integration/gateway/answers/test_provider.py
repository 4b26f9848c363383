"""Every behaviour of a provider ends as one answer or one reason."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from libra.gateway.components import Components
from libra.store.client import Store
from libra.testing.scripted_provider import (
    MALFORMED,
    Behaviour,
    broken_off,
    filtered,
    filters_the_prompt,
    hangs,
    huge,
    malformed,
    nothing,
    refuses,
    says,
    slow_down,
    truncated,
    web_page,
)

from .endpoint import ERROR, FILTER, KEY, STOP, YES, Endpoint, answers, ask, model_of, one


async def test_an_answer_has_all_its_fields(components: Components, endpoint: Endpoint) -> None:
    completion = await one(components, model_of(endpoint))
    assert (completion.text, completion.finish_reason, completion.attempts, completion.model) == ("yes", STOP, 1, "m")
    assert (completion.usage.prompt_tokens, completion.usage.completion_tokens) == (10, 5)
    assert completion.cost_usd == pytest.approx(20e-6)
    assert 0 < completion.latency_seconds < 1
    assert completion.HasField("create_time")
    (asked,) = endpoint.provider.requests
    assert asked.body == {"model": "m", "messages": [{"role": "user", "content": "hello"}], "max_tokens": 512}
    assert asked.headers["authorization"] == f"Bearer {KEY}"


TABLE: dict[str, tuple[list[Behaviour], int, int, str]] = {
    # behaviour: the responses, the finish reason, the number of requests (0: more than one), a part of the reason
    "400": ([refuses(400, message="bad temperature")], ERROR, 1, "bad temperature"),
    "400 of a filter": ([filters_the_prompt()], FILTER, 1, ""),
    "filtered in the middle": ([says("Sure, I", finish_reason="content_filter")], FILTER, 1, ""),
    "filtered whole": ([filtered()], FILTER, 1, ""),
    "401": ([refuses(401)], ERROR, 1, "TEST_API_KEY"),
    "403": ([refuses(403)], ERROR, 1, "TEST_API_KEY"),
    "404": ([refuses(404)], ERROR, 1, "remote_model and base_url"),
    "redirect": ([answers(b"", 307, Location="http://elsewhere/")], ERROR, 1, "http://elsewhere/"),
    "429 forever": ([slow_down()], ERROR, 0, "slow down (429)"),
    "429 without quota": ([refuses(429, code="insufficient_quota")], ERROR, 1, "quota"),
    "429 once": ([slow_down(), YES], STOP, 2, ""),
    "500 forever": ([refuses(500, message="ouch")], ERROR, 3, "given up after 3 requests: the provider failed (500"),
    "500 twice": ([refuses(500), refuses(502), YES], STOP, 3, ""),
    "503 forever": ([answers(b"", 503)], ERROR, 3, "the response is empty"),
    "503 of a proxy": ([web_page(503), YES], STOP, 2, ""),
    "HTML": ([web_page()], ERROR, 2, 'a web page "Welcome"'),
    "HTML once": ([web_page(), YES], STOP, 2, ""),
    "truncated JSON": ([truncated()], ERROR, 2, "not with JSON"),
    "hangs up": ([broken_off()], ERROR, 3, "connection"),
    "hangs up once": ([broken_off(), YES], STOP, 2, ""),
    "nothing": ([nothing()], ERROR, 2, "the response is empty"),
    "no choices": ([answers(b'{"choices": []}')], ERROR, 2, "without a choice"),
    "empty": ([says("")], STOP, 1, ""),
    "10 MB": ([huge()], ERROR, 1, "4 MiB"),
    "2 MB of text": ([huge(2_000_000)], ERROR, 1, "1 MiB"),
    "a gzip bomb": ([answers(gzip.compress(bytes(50_000_000)), Content_Encoding="gzip")], ERROR, 1, "4 MiB"),
    "gzip": ([answers(gzip.compress(YES.body), Content_Encoding="gzip")], STOP, 1, ""),
    "broken gzip": ([answers(b"no", Content_Encoding="gzip"), YES], STOP, 2, ""),
    "never": ([hangs()], ERROR, 2, "no answer within 0.3 s"),
    "late once": ([hangs(), YES], STOP, 2, ""),
}


@pytest.mark.parametrize("case", TABLE)
async def test_each_behaviour_has_its_outcome(
    components: Components, endpoint: Endpoint, store: Store, case: str
) -> None:
    behaviours, finish, requests, reason = TABLE[case]
    endpoint.play(*behaviours)
    completion = await one(components, model_of(endpoint, timeout_seconds=0.3))
    assert completion.finish_reason == finish, completion.error
    assert reason in completion.error
    assert completion.attempts == endpoint.count
    if requests:
        assert endpoint.count == requests
    kept = await store.completions.get_many([completion.id])
    assert bool(kept) == (finish != ERROR)  # an error is not stored


@asynccontextmanager
async def pouring(piece: bytes, pause_seconds: float) -> AsyncIterator[tuple[str, list[int]]]:
    """Serve an endless answer; yield the base_url, and a list of the numbers of bytes sent."""
    sent: list[int] = []
    connections: list[asyncio.Task[None]] = []

    async def pour(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if task := asyncio.current_task():
            connections.append(task)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(piece)
                await writer.drain()
                sent.append(len(piece))
                await asyncio.sleep(pause_seconds)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(pour, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", sent
    async with asyncio.timeout(10):  # the client has closed the connection
        await asyncio.gather(*connections)


async def test_an_endless_answer_is_cut_off(components: Components, endpoint: Endpoint) -> None:
    async with pouring(b"x" * 65_536, 0) as (url, sent):
        model = model_of(endpoint)
        model.base_url = url
        assert "4 MiB" in (await one(components, model)).error
        assert sum(sent) < 32 * 2**20  # the buffers of both ends


async def test_a_trickling_answer_ends_with_the_timeout(components: Components, endpoint: Endpoint) -> None:
    async with pouring(b" ", 0.05) as (url, _):
        model = model_of(endpoint, timeout_seconds=0.3)
        model.base_url = url
        assert "no answer within 0.3 s" in (await one(components, model)).error


async def test_a_model_that_requires_max_completion_tokens_gets_it(components: Components, endpoint: Endpoint) -> None:
    wrong = refuses(400, message="Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
    endpoint.follow(lambda asked: wrong if "max_tokens" in asked.body else YES)
    first = await ask(components, model_of(endpoint), "a", "b", "c")
    later = await ask(components, model_of(endpoint), "d", "e")
    # Requests that are sent before the first refusal arrives are refused as well.
    assert first[0].attempts == 2
    assert {each.attempts for each in first} <= {1, 2}
    assert [each.attempts for each in later] == [1, 1]
    assert endpoint.provider.requests[-1].body["max_completion_tokens"] == 512


async def test_a_connection_that_is_refused_parks_the_model_and_is_given_up_with_it(
    components: Components, endpoint: Endpoint
) -> None:
    model = model_of(endpoint)
    model.base_url = "http://127.0.0.1:1/v1"
    completion = await one(components, model)
    assert (completion.finish_reason, completion.attempts) == (ERROR, 1)
    assert "given up with the whole model" in completion.error
    assert "nobody listens at 127.0.0.1:1; start the server or correct the URL" in completion.error


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999/v1", "http://[::1/v1", "http:///v1"])
async def test_an_invalid_url_fails_at_once(components: Components, endpoint: Endpoint, url: str) -> None:
    model = model_of(endpoint)
    model.base_url = url
    completion = await one(components, model)
    assert (completion.finish_reason, completion.attempts) == (ERROR, 1)
    assert f"{url} cannot be used" in completion.error


@pytest.mark.parametrize("kind", MALFORMED)
async def test_a_malformed_http_response_is_retried_like_a_failed_connection(
    components: Components, endpoint: Endpoint, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    endpoint.play(malformed(MALFORMED[kind]))
    completion = await one(components, model_of(endpoint))
    assert (completion.finish_reason, completion.attempts) == (ERROR, 3)
    assert "failed" in completion.error
    assert "a bug" not in completion.error
    assert "Traceback" not in "".join(capsys.readouterr())
    endpoint.play(malformed(MALFORMED[kind]), YES)
    assert (await one(components, model_of(endpoint), "again")).finish_reason == STOP
