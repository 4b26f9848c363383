"""Every adapter works through the HTTP client: what the endpoint receives, and what its responses become."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from tests.provider_fixtures import ProviderFixture, ResponseFixture, provider_fixtures
from yarl import URL

from libra.core.http.address_policy import AddressPolicy
from libra.gateway.provider.http.network import Network
from libra.gateway.provider.http_provider import HttpProvider
from libra.gateway.provider.keys.model_keys import ModelKeys
from libra.gateway.provider.request import CompletionRequest
from libra.gateway.provider.result import ProviderAnswer, ProviderFault, ProviderResult

KEY = "sk-test-7c1f0a9be24d4c5fa1"
FIXTURES = pytest.mark.parametrize("fixture", provider_fixtures().values(), ids=provider_fixtures())

LOOPBACK = Network(AddressPolicy.parse("loopback"))


@dataclass
class Endpoint:
    """An endpoint that gives one response to all requests, and records them."""

    reply: ResponseFixture | None = None
    received: list[tuple[URL, dict[str, str], Any]] = field(default_factory=list)
    port: int = 0

    async def respond(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.received.append((request.url, headers, await request.json()))
        assert self.reply is not None
        response = self.reply.response()
        return web.Response(body=response.body, status=response.status, headers=response.headers)


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    made, app = Endpoint(), web.Application()
    app.router.add_post("/{path:.*}", made.respond)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.port = runner.addresses[0][1]
    yield made
    await runner.cleanup()


@pytest.fixture
async def provider() -> AsyncIterator[HttpProvider]:
    made = HttpProvider(ModelKeys({"TEST_API_KEY": KEY}), LOOPBACK)
    yield made
    await made.close()


def request_to(endpoint: Endpoint, fixture: ProviderFixture, name: str = "all_parameters") -> CompletionRequest:
    """Return a request whose `base_url` has the path of the provider's and the host of the endpoint."""
    path = URL(fixture.about["base_url"]).raw_path.rstrip("/")
    return fixture.request(name, f"http://127.0.0.1:{endpoint.port}{path}")


async def ask(
    provider: HttpProvider, endpoint: Endpoint, fixture: ProviderFixture, situation: str
) -> tuple[ProviderResult, ResponseFixture]:
    endpoint.reply = fixture.responses[situation]
    return await provider.ask(fixture.adapter, request_to(endpoint, fixture)), endpoint.reply


@FIXTURES
async def test_the_endpoint_receives_the_body_at_the_url_with_the_key_in_a_header(
    provider: HttpProvider, endpoint: Endpoint, fixture: ProviderFixture
) -> None:
    result, expected = await ask(provider, endpoint, fixture, "answered")
    assert isinstance(result, ProviderAnswer)
    assert result.text == expected.text
    ((url, headers, body),) = endpoint.received
    assert url.raw_path_qs == URL(fixture.about["url"]).raw_path_qs
    assert body == fixture.requests["all_parameters"]["body"]
    assert headers["content-type"] == "application/json"
    for name, value in fixture.about.get("credentials", {}).items():
        assert headers[name.lower()] == value.format(key=KEY)
    assert KEY not in str(url) + json.dumps(body)


@FIXTURES
@pytest.mark.parametrize("situation", ["blocked_input", "wrong_key", "slow_down", "overloaded", "error_in_200"])
async def test_responses_keep_their_outcome(
    provider: HttpProvider, endpoint: Endpoint, fixture: ProviderFixture, situation: str
) -> None:
    result, expected = await ask(provider, endpoint, fixture, situation)
    assert result.outcome == expected.outcome
    if isinstance(result, ProviderFault):
        assert result.retry_after_seconds == expected.wait
